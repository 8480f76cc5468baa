/** Fires a schedule: starts its job and records the outcome of the firing, both in one transaction. */
import { createHash } from 'node:crypto';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { audit } from '../src/db/access/audit.ts';
import { type FiringOutcome, findFiring, findNewerTwin, insertFiring } from '../src/db/schedules/firings.ts';
import type { Db, Tx } from '../src/db/schema.ts';
import { submitJobIn } from '../src/db/jobs/submit.ts';
import type { JobRow } from '../src/db/schema.ts';
import { describeNotPromoted } from '../src/domain/promotion.ts';
import { cut } from '../src/domain/outcome.ts';
import { announceJobs, type StartLog } from '../src/engine/start-job.ts';
import type { JobParams } from '../src/job-params/load.ts';
import type { Planning } from '../src/job-params/plan-job.ts';
import { planScheduled } from '../src/job-params/plan-of-changes.ts';
import type { Temporal } from '../src/temporal/connect.ts';
import { bindLogContext } from './log-context.ts';

export type ScheduleDeps = Planning & {
  readonly db: Db;
  readonly temporal: Temporal;
  readonly params: JobParams;
};

type ScheduledFile = JobParams['schedules'][number];

/** A schedule's name as an unknown caller gave it is cut to this many characters. */
const MOST_NAME = 200;

type FiringInput = {
  readonly schedule: string;
  readonly nominalTime: string;
  /** The schedule that Temporal says started the workflow, null for none; absent from older versions' workflows. */
  readonly firedBy?: string | null;
};

type Firing = { readonly schedule: string; readonly nominalTime: Date };
type Fired = { readonly outcome: FiringOutcome; readonly created?: JobRow };

export function scheduleActivities(deps: ScheduleDeps) {
  return {
    /** Fires exactly once per nominal time, however often it is called. Returns the outcome of the firing. */
    async fireSchedule(input: FiringInput): Promise<FiringOutcome | 'refused'> {
      if (input.firedBy !== undefined && input.firedBy !== input.schedule)
        return await refuse(deps.db, input.schedule);
      const file = deps.params.schedules.find((candidate) => candidate.schedule.id === input.schedule);
      // Retried, and then by any worker: one with newer files made the schedule, and this one may not have read them yet.
      if (!file)
        throw ApplicationFailure.retryable(
          `no params file that this worker has read has the schedule ${input.schedule}; if it is new, give every worker the same files`,
        );
      const firing = { schedule: input.schedule, nominalTime: new Date(input.nominalTime) };
      const { outcome, created } = await deps.db.transaction().execute((tx) => fire(tx, deps, file, firing));
      if (created) await announce(deps.temporal, created, firing.schedule);
      return outcome;
    },
  };
}

async function announce(temporal: Temporal, job: JobRow, schedule: string): Promise<void> {
  bindLogContext(job);
  const { log } = Context.current();
  const named: StartLog = {
    info(fields, message) {
      log.info(message, { ...fields, schedule });
    },
    warn(fields, message) {
      log.warn(message, { ...fields, schedule });
    },
  };
  await announceJobs({ temporal, log: named }, [{ job, traceparent: job.traceparent }]);
}

/** Anybody who reaches Temporal's port can start the workflow; only a schedule's own firing starts a job. */
async function refuse(db: Db, name: unknown): Promise<'refused'> {
  const { log } = Context.current();
  // The workflow's argument may be any value.
  const schedule = cut(String(name)).slice(0, MOST_NAME);
  log.warn('a scheduledJob that no schedule fired starts nothing; run `syncrator schedules run`', {
    schedule,
  });
  const line = { principal: 'temporal', verb: 'start', object: `schedule ${schedule}`, refused: 'not_fired' };
  await audit(db, line);
  return 'refused';
}

async function fire(tx: Tx, planning: Planning, file: ScheduledFile, firing: Firing): Promise<Fired> {
  const known = await findFiring(tx, firing);
  if (known) return { outcome: known.outcome };
  const job = planScheduled(planning, file);
  const twin = await findNewerTwin(tx, file, job.parameters, firing.nominalTime);
  if (twin !== undefined)
    return await record(tx, firing, {
      outcome: 'superseded',
      jobId: twin,
      detail: `job ${twin} with the same parameters was created since`,
    });
  const submitted = await submitJobIn(tx, {
    ...job,
    uid: firingUid(firing),
    trigger: 'schedule',
    requestedBy: `schedule ${firing.schedule}`,
  });
  switch (submitted.kind) {
    case 'created':
      return {
        ...(await record(tx, firing, { outcome: 'started', jobId: submitted.job.id })),
        created: submitted.job,
      };
    case 'deduplicated':
      return await record(tx, firing, { outcome: 'deduplicated', jobId: submitted.job.id });
    case 'busy': {
      const { id, action_name: action, status } = submitted.holder;
      const detail = `job ${id} (${action}) was ${status}`;
      return await record(tx, firing, { outcome: 'skipped', jobId: id, detail });
    }
    case 'queued': {
      const { behind, request } = submitted.next;
      const detail = `${request.parameters.action_name} is remembered as the next start, behind job ${behind}`;
      return await record(tx, firing, { outcome: 'queued', jobId: behind, detail });
    }
    case 'not_promoted': {
      const detail = describeNotPromoted(submitted.missing);
      return await record(tx, firing, { outcome: 'skipped', jobId: null, detail });
    }
    case 'key_reused':
      throw new Error('a firing has no Idempotency-Key');
  }
}

async function record(
  tx: Tx,
  { schedule, nominalTime }: Firing,
  { outcome, jobId, detail }: { outcome: FiringOutcome; jobId: number | null; detail?: string },
): Promise<Fired> {
  await insertFiring(tx, {
    schedule,
    nominal_time: nominalTime,
    job_id: jobId,
    outcome,
    detail: detail ?? null,
  });
  return { outcome };
}

/** The same firing has the same uid: a second guard beside the primary key of schedule_firings. */
function firingUid(firing: Firing): string {
  const hex = createHash('sha256')
    .update(`${firing.schedule} ${firing.nominalTime.toISOString()}`)
    .digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
