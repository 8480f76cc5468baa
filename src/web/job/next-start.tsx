/** The start that is remembered until this job ends (QUEUE=one), with a button that cancels it. */
import { Alert, Group, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { JobJson, NextStartJson } from '../../client/client.ts';
import { isFinal } from '../../domain/status.ts';
import { refetchSoon } from '../app/job-cache.ts';
import { DenialReason, useDenialReason } from '../app/permissions.tsx';
import { queries } from '../app/queries.ts';
import { client } from '../app/session.ts';
import { Ago } from '../parts/clock.tsx';
import { Confirm } from '../parts/confirm.tsx';

export function NextStart({ job }: { job: JobJson }) {
  const { data: next } = useQuery({
    ...queries.targets(),
    enabled: !isFinal(job.status),
    select: (targets) =>
      targets.find(({ name }) => name === job.target)?.environments.find(({ env }) => env === job.env)
        ?.next_start,
  });
  if (!next || isFinal(job.status)) return null;
  return (
    <Alert color="blue" mb="sm" title="Then">
      <Group justify="space-between" gap="xs">
        <Text size="sm">
          {next.action_name} of {next.target} in {next.env} starts when this job has ended;{' '}
          {next.requested_by} asked for it <Ago time={next.requested_at} />
        </Text>
        <CancelNext next={next} />
      </Group>
    </Alert>
  );
}

function CancelNext({ next }: { next: NextStartJson }) {
  const cache = useQueryClient();
  const { uid, env, target, action_name, action } = next;
  const why = useDenialReason({ role: 'operator', of: { env, action_name, action } });
  return (
    <>
      <DenialReason why={why} />
      <Confirm
        label="Cancel the next start"
        title={`Cancel ${action_name} of ${target} in ${env}?`}
        yes="Cancel the next start"
        size="compact-sm"
        color="red"
        disabled={why !== undefined}
        act={() => client.cancelNext(target, env, uid)}
        onDone={() => refetchSoon(cache, ['targets'])}
      >
        It has not started, and will not start when this job has ended. The running job goes on.
      </Confirm>
    </>
  );
}
