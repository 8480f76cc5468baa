/** Claims a job: the workflow of a key takes the key's active job, or takes it over from an earlier run. */
import { Context } from '@temporalio/activity';
import { claimJob, findClaimable } from '../src/db/jobs/claim.ts';
import type { Db, JobRow } from '../src/db/schema.ts';
import { listSteps } from '../src/db/jobs/steps.ts';
import { type ClaimedJob, resumePoint, WORKFLOW_TERMINATED } from '../src/domain/resume-point.ts';
import type { Key } from '../src/domain/job.ts';
import type { SourceLimits } from '../src/domain/source-limit.ts';
import { workflowId } from '../src/domain/names.ts';
import type { Temporal } from '../src/temporal/connect.ts';
import { describeRun } from '../src/temporal/describe.ts';
import type { SearchAttributes } from '../src/temporal/search-attributes.ts';
import { currentRun } from './run-guard.ts';
import { bindLogContext } from './log-context.ts';

export type JobDeps = {
  readonly db: Db;
  readonly temporal: Temporal;
  readonly searchAttributes: Pick<SearchAttributes, 'usable'>;
  readonly sourceLimits: SourceLimits;
};

export function jobActivities({ db, temporal, searchAttributes, sourceLimits: limits }: JobDeps) {
  return {
    /** Takes the key's active job for this run; null when there is none to take. */
    async claim(input: Key & { runId: string; runStartedAt: string }): Promise<ClaimedJob | null> {
      const { workflowId: id } = currentRun();
      if (id !== workflowId(input)) {
        Context.current().log.warn('a runJob whose workflow id is not that of its key claims no job', {
          workflowId: id,
        });
        return null;
      }
      const seen = await findClaimable(db, input);
      if (!seen) return null;
      const run = { runId: input.runId, runStartedAt: new Date(input.runStartedAt), limits };
      const job = await claimJob(db, seen, run, await wasKilled(seen, input.runId));
      if (!job) return null;
      bindLogContext(job);
      Context.current().log.info('job claimed', {
        env: job.env,
        target: job.target,
        action: job.action_name,
      });
      return await describeClaim(job);
    },
  };

  /** True when an earlier run of the job was killed. A job that is being cancelled needs no such check. */
  async function wasKilled(seen: JobRow, runId: string): Promise<boolean> {
    if (seen.run_id === null || seen.run_id === runId || seen.status === 'cancelling') return false;
    return (await describeRun(temporal, seen, seen.run_id)) === 'killed';
  }

  async function describeClaim(job: JobRow): Promise<ClaimedJob> {
    const from = job.abandoned
      ? { kind: 'over' as const, outcome: { kind: 'failed' as const, diagnosis: WORKFLOW_TERMINATED } }
      : resumePoint(job.steps_spec, await listSteps(db, job.id));
    return {
      id: job.id,
      env: job.env,
      target: job.target,
      action: job.action_name,
      traceparent: job.traceparent,
      searchable: [...searchAttributes.usable()],
      steps: job.steps_spec.map(({ action, retries }) => ({ action, retries })),
      from,
    };
  }
}
