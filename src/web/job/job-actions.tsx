/** Actions on a job: cancel and force delete while active, those of FinalActions afterwards. */
import { useQueryClient } from '@tanstack/react-query';
import type { JobJson } from '../../client/client.ts';
import { isFinal } from '../../domain/status.ts';
import { applyJob } from '../app/job-cache.ts';
import { scopeOf, useDenialReason, DenialReason } from '../app/permissions.tsx';
import { client } from '../app/session.ts';
import { Confirm } from '../parts/confirm.tsx';
import { FinalActions } from './final-actions.tsx';

/** Gives each action a key, so that a dialog made obsolete by the job's status closes instead of turning into another. */
export function JobActions({ job }: { job: JobJson }) {
  return isFinal(job.status) ? <FinalActions job={job} /> : <ActiveActions job={job} />;
}

function ActiveActions({ job }: { job: JobJson }) {
  const cache = useQueryClient();
  const why = useDenialReason({ role: job.status === 'cancelling' ? 'admin' : 'operator', of: scopeOf(job) });
  const disabled = why !== undefined;
  const show = (newer: JobJson) => applyJob(cache, newer);
  const what = `${job.job_type} of ${job.target} in ${job.env}`;
  const hasBegun = job.steps.length > 0;
  if (job.status !== 'cancelling')
    return (
      <>
        <DenialReason why={why} />
        <Confirm
          key="cancel"
          label="Cancel"
          title={`Cancel job ${job.id}?`}
          yes="Cancel the job"
          size="compact-sm"
          color="red"
          disabled={disabled}
          act={() => client.cancelJob(job.id)}
          onDone={show}
        >
          {hasBegun
            ? `Stops the ${job.runner === 'kubernetes' ? 'pod' : 'process'} of ${what}. Then the job becomes deleted and ${job.target} is free again. Records written so far stay.`
            : `The ${what} has not started: it becomes deleted at once, and writes nothing.`}
        </Confirm>
      </>
    );
  return (
    <>
      <DenialReason why={why} />
      <Confirm
        key="force"
        label="Force delete"
        title={`Give up on job ${job.id}?`}
        yes="Force delete"
        size="compact-sm"
        color="red"
        variant="default"
        disabled={disabled}
        act={() => client.forceDeleteJob(job.id)}
        onDone={show}
      >
        Only for a lost node: removes the pod from the cluster without the node's confirmation. If the node
        still runs, the program may keep writing beside the next job. The audit records your name.
      </Confirm>
    </>
  );
}
