/** Claiming: the workflow of a key takes the key's active job for itself, or takes it over. */
import { Context } from '@temporalio/activity';
import { claimJob, findClaimable } from '../src/db/claim.ts';
import type { Db } from '../src/db/schema.ts';
import { listSteps } from '../src/db/steps.ts';
import type { JobRow } from '../src/db/submit.ts';
import { type ClaimedJob, resumePoint, WORKFLOW_TERMINATED } from '../src/domain/claimed-job.ts';
import type { Key } from '../src/domain/job.ts';
import type { Temporal } from '../src/temporal/connect.ts';
import { describeRun } from '../src/temporal/describe.ts';
import { linesAreOf } from './job-lines.ts';

export type JobDeps = { readonly db: Db; readonly temporal: Temporal };

export function jobActivities({ db, temporal }: JobDeps) {
  return {
    /** Takes the key's active job for this run; null when there is none to take. */
    async claim(input: Key & { runId: string; runStartedAt: string }): Promise<ClaimedJob | null> {
      const seen = await findClaimable(db, input);
      if (!seen) return null;
      const run = { runId: input.runId, runStartedAt: new Date(input.runStartedAt) };
      const job = await claimJob(db, seen, run, await wasKilled(seen, input.runId));
      if (!job) return null;
      linesAreOf(job);
      Context.current().log.info('job claimed', {
        env: job.env,
        target: job.target,
        action: job.action_name,
      });
      return await describeClaim(job);
    },
  };

  /** A takeover looks at the run it takes over from; one that is being cancelled anyway just goes on with that. */
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
      steps: job.steps_spec.map(({ action, retries }) => ({ action, retries })),
      from,
    };
  }
}
