/** Alerts about a job's status: why it waits, which objects remain after its end, and that it has stalled. */
import { Alert } from '@mantine/core';
import type { JobJson } from '../../client/client.ts';
import { isFinal } from '../../domain/status.ts';

export function StatusDetail({ job }: { job: JobJson }) {
  if (job.status_detail === null) return null;
  return (
    <Alert color="yellow" mb="sm" title={isFinal(job.status) ? 'Left behind' : 'Why it waits'}>
      {job.status_detail}
    </Alert>
  );
}

export function StalledAlert({ job }: { job: JobJson }) {
  if (!job.stalled) return null;
  return job.stalled_by === 'no_progress' ? (
    <Alert color="yellow" mb="sm" title="No progress">
      The job runs and reports, but its counts have not changed for a long time. Check its log, its source and
      its sink.
    </Alert>
  ) : (
    <Alert color="yellow" mb="sm" title="No progress reported">
      The job runs, but has sent no report for a while. Check its log.
    </Alert>
  );
}
