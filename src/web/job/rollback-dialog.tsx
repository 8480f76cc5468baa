/** Dialog that rolls a target back to before a job: runs a preview job first, then asks for confirmation. */
import { Button, Checkbox, Group, Modal, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { JobJson } from '../../client/client.ts';
import { touched } from '../../client/data-format.ts';
import { isFinal } from '../../domain/status.ts';
import { queries } from '../app/queries.ts';
import { client } from '../app/session.ts';
import { QueryBoundary } from '../parts/query-boundary.tsx';
import { Busy } from '../parts/busy.tsx';
import { JobProgress } from '../parts/job-progress.tsx';
import { useIsNarrow } from '../parts/narrow.ts';
import { StatusBadge } from '../parts/status-badge.tsx';
import { Diagnosis } from './diagnosis.tsx';
import { RollbackEffect } from './rollback-effect.tsx';

type Props = { job: JobJson; disabled: boolean; onStarted: (id: number) => void };

export function RollbackDialog({ job, disabled, onStarted }: Props) {
  const { id, target, env } = job;
  const [opened, { open, close }] = useDisclosure(false);
  const isNarrow = useIsNarrow();
  const asking = useMutation({
    mutationFn: (some: Some) => client.rollback(target, env, { before: id, preview: true, ...some }),
  });
  const acting = useMutation({
    mutationFn: (expect: string) => client.rollback(target, env, { before: id, expect, ...asking.variables }),
    onSuccess: ({ job_id: started }) => {
      close();
      onStarted(started);
    },
  });
  return (
    <>
      <Button
        size="compact-sm"
        variant="default"
        disabled={disabled}
        onClick={() => {
          acting.reset();
          asking.mutate({});
          open();
        }}
      >
        Go back to before this job
      </Button>
      <Modal
        opened={opened}
        onClose={close}
        size="lg"
        fullScreen={isNarrow}
        title={`Go back to before job ${id}?`}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <Busy error={asking.error} />
        {asking.isPending && <Text size="sm">Starting a preview…</Text>}
        {asking.data && (
          <Preview
            id={asking.data.job_id}
            some={asking.variables}
            ask={asking.mutate}
            isActing={acting.isPending}
            act={(digest) => acting.mutate(digest)}
            close={close}
          />
        )}
        <Busy error={acting.error} />
      </Modal>
    </>
  );
}

type Some = { only?: true };
type PreviewProps = {
  id: number;
  some: Some;
  ask: (some: Some) => void;
  isActing: boolean;
  act: (digest: string) => void;
  close: () => void;
};

function Preview({ id, some, ask, isActing, act, close }: PreviewProps) {
  const query = useQuery(queries.job(id));
  return (
    <QueryBoundary query={query} what="preview">
      {(job) => {
        const preview = job.rollback_preview;
        if (!isFinal(job.status)) return <PreviewRunning job={job} />;
        if (job.status !== 'completed' || preview === null) return <NoPreview job={job} />;
        return (
          <>
            <RollbackEffect preview={preview} />
            <Checkbox
              size="sm"
              my="sm"
              label="Only the records that this job changed; keep later changes of others"
              checked={some.only === true}
              disabled={isActing}
              onChange={({ currentTarget: { checked } }) => ask(checked ? { only: true } : {})}
            />
            <Text size="sm">The rollback is a job too: to undo it, go back to before that job.</Text>
            <Group justify="flex-end" mt="md">
              <Button variant="default" onClick={close}>
                No, leave it
              </Button>
              {touched(preview) > 0 && (
                <Button color="red" loading={isActing} onClick={() => act(preview.digest)}>
                  Roll back
                </Button>
              )}
            </Group>
          </>
        );
      }}
    </QueryBoundary>
  );
}

function PreviewRunning({ job }: { job: JobJson }) {
  return (
    <>
      <Group gap="xs" mb="sm" role="status">
        <StatusBadge job={job} />
        <Text size="sm">
          <Link to="/jobs/$id" params={{ id: String(job.id) }}>
            Job {job.id}
          </Link>{' '}
          computes the preview. Nothing is changed yet.
        </Text>
      </Group>
      {job.status_detail !== null && <Text size="sm">{job.status_detail}</Text>}
      <JobProgress job={job} />
    </>
  );
}

function NoPreview({ job }: { job: JobJson }) {
  if (job.diagnosis) return <Diagnosis diagnosis={job.diagnosis} isFailure={job.status === 'failed'} />;
  return (
    <Text size="sm" role="alert">
      {job.status === 'completed'
        ? 'The program of this target reported no preview: it is a custom program or an older version.'
        : 'The preview was cancelled.'}{' '}
      <Link to="/jobs/$id" params={{ id: String(job.id) }}>
        Job {job.id}
      </Link>{' '}
      has the log.
    </Text>
  );
}
