/** Shows a job's status, who requested it and when, how long it took, and a link to its workflow in Temporal. */
import { Anchor, Group, Text } from '@mantine/core';
import type { JobJson } from '../../client/client.ts';
import { tookOf } from '../../client/format.ts';
import { isFinal } from '../../domain/status.ts';
import { Ago, useNow } from '../parts/clock.tsx';
import { StatusBadge } from '../parts/status-badge.tsx';

export function JobStatusLine({ job }: { job: JobJson }) {
  const now = useNow();
  return (
    <Group gap="sm" mb="sm">
      <div role="status">
        <StatusBadge job={job} />
      </div>
      <Text size="sm">
        requested <Ago time={job.created_at} /> by {job.requested_by} ({job.trigger}) ·{' '}
        {isFinal(job.status) ? 'took' : 'for'}{' '}
        {tookOf(job, Math.max(now, Date.parse(job.started_at ?? job.created_at)))}
      </Text>
      {job.temporal_url !== null && (
        <Anchor href={job.temporal_url} size="sm" underline="always" target="_blank" rel="noreferrer">
          Temporal Web UI
        </Anchor>
      )}
    </Group>
  );
}
