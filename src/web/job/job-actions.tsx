/** What can be done with a job: run again, cancel, give up on a lost node. Each says what will happen. */
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { JobJson } from '../../api/job-schema.ts';
import { isFinal } from '../../domain/status.ts';
import { takeJob } from '../app/job-cache.ts';
import { touchedBy, useWhyNot, WhyNot } from '../app/rights.tsx';
import { client } from '../app/session.ts';
import { Confirm } from '../parts/confirm.tsx';

/** Each has a key: a question that is open goes away when its job is past it, and does not become another one. */
export function JobActions({ job }: { job: JobJson }) {
  const cache = useQueryClient();
  const navigate = useNavigate();
  const why = useWhyNot({ role: job.status === 'cancelling' ? 'admin' : 'operator', of: touchedBy(job) });
  const disabled = why !== undefined;
  const show = (newer: JobJson) => takeJob(cache, newer);
  const what = `${job.job_type} of ${job.target} in ${job.env}`;
  const hasBegun = job.steps.length > 0;
  const toNew = (id: number) => void navigate({ to: '/jobs/$id', params: { id: String(id) } });
  if (isFinal(job.status))
    return (
      <>
        <WhyNot why={why} />
        {job.status === 'failed' && job.runner !== 'external' && (
          <Confirm
            key="resume"
            label="Resume"
            title={`Resume ${what}?`}
            yes="Resume it"
            color="blue"
            variant="default"
            size="compact-sm"
            disabled={disabled}
            act={() => client.resumeJob(job.id)}
            onDone={({ id }) => toNew(id)}
          >
            A new job goes on where job {job.id} stopped: steps that completed within the last hour are left
            out, the one that failed goes on from its last checkpoint.
          </Confirm>
        )}
        <Confirm
          key="again"
          label="Run again"
          title={`Run ${what} again?`}
          yes="Start it"
          color="blue"
          size="compact-sm"
          disabled={disabled}
          act={() => runAgain(job)}
          onDone={toNew}
        >
          A new job starts with the parameters of job {job.id}:{' '}
          <code>{job.parameters.options || 'no options'}</code>, tag <code>{job.parameters.is_tag}</code>.
        </Confirm>
      </>
    );
  if (job.status !== 'cancelling')
    return (
      <>
        <WhyNot why={why} />
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
            ? `The ${job.runner === 'kubernetes' ? 'pod' : 'process'} of ${what} is told to stop; once it is gone the job is deleted and ${job.target} is free again. What it has written so far stays.`
            : `The ${what} has not begun: it is deleted at once, and nothing is written.`}
        </Confirm>
      </>
    );
  return (
    <>
      <WhyNot why={why} />
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
        For a node that is lost: its pod is removed from the cluster without word from the node. If the node
        still lives, the program may go on writing beside the next job. Your name is kept with it.
      </Confirm>
    </>
  );
}

/** @returns the new job's id */
async function runAgain({ target, env, job_type, runner, parameters }: JobJson): Promise<number> {
  if (runner === 'external') {
    const { description, releaseStatus, bumpManifesto, bumpFromVersion, bumpToVersion } = parameters;
    const given = { description, releaseStatus, bumpManifesto, bumpFromVersion, bumpToVersion };
    const [answer] = await client.createJobs([{ ...given, operation: job_type, target, env }]);
    if (answer?.job_id === undefined) throw new Error(answer?.msg);
    return answer.job_id;
  }
  if (job_type === 'rollback') return (await client.rollback(target, env)).job_id;
  const { action, is_tag, options, mam_main_query: query } = parameters;
  const run = { target, env, action_name: job_type, action, is_tag, options };
  const started = await client.run(query === null ? run : { ...run, mam_main_query: query });
  return started.job_id;
}
