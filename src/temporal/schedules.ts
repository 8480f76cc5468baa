/** Temporal Schedules made from job_params: creates, updates, removes, pauses and describes them. */
import {
  isGrpcServiceError,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type ScheduleDescription,
  type ScheduleOptions,
  type ScheduleSummary,
} from '@temporalio/client';
import { readPauses, writePause } from '../db/schedules/pauses.ts';
import { resetBaseline, writeBaselines, writeRefusals } from '../db/schedules/baselines.ts';
import type { Db } from '../db/schema.ts';
import { isDatabaseUnavailable } from '../db/connect.ts';
import { cut } from '../domain/outcome.ts';
import { SCHEDULED_JOB, TASK_QUEUE } from '../domain/workflow.ts';
import type { JobParams, ParamsFile, Schedule } from '../job-params/load.ts';
import type { Log } from '../log.ts';
import { isTemporalUnavailable } from './unavailable.ts';
import { type Temporal, within } from './connect.ts';

const DEADLINE_MS = 5_000;
/** Concurrent describe calls: a hundred schedules one after the other take over a second. */
const AT_ONCE = 16;

/**
 * Makes Temporal's schedules agree with the params files. An existing schedule keeps its pause, and one that Temporal has
 * lost gets it back. Removes only schedules with this installation's uuid. A schedule that Temporal refuses does not stop
 * the others: the reason is stored and shown with it. Safe to repeat and to run in several workers at once.
 */
export async function syncSchedules({
  db,
  temporal,
  params,
  installation,
  log,
}: {
  db: Db;
  temporal: Temporal;
  params: JobParams;
  installation: string;
  log?: Log | undefined;
}): Promise<void> {
  /** Returns the reason of a refusal; rethrows an outage, which every schedule would meet. */
  const orSay = async (id: string, work: () => Promise<void>): Promise<string | undefined> => {
    try {
      await work();
      return undefined;
    } catch (error) {
      if (isTemporalUnavailable(error) || isDatabaseUnavailable(error)) throw error;
      log?.warn(
        { err: error, schedule: id, file: wanted.get(id)?.file },
        'Temporal refuses this schedule; retrying with the next pass',
      );
      return cut(rootOf(error));
    }
  };
  const refusals = new Map<string, string>();
  const pauses = await readPauses(db);
  const wanted = new Map(params.schedules.map((file) => [file.schedule.id, file]));
  // Store the baselines before any call to Temporal: a schedule that never reaches it counts as missed too.
  await writeBaselines(db, new Map([...wanted].map(([id, { schedule }]) => [id, wordsOf(schedule)])));
  const stored = await within(DEADLINE_MS, temporal.connection, () => listAll(temporal));
  for (const { scheduleId, memo } of stored)
    if (memo?.['installation'] === installation && !wanted.has(scheduleId))
      await orSay(scheduleId, () => handle(temporal, scheduleId, (h) => h.delete()));
  for (const [id, file] of wanted) {
    const options = scheduleOptions(file, { installation, paused: pauses.get(id) });
    const refusal = await orSay(id, () => syncOne(id, options));
    if (refusal !== undefined) refusals.set(id, refusal);
  }
  await writeRefusals(db, refusals);
  for (const id of pauses.keys()) if (!wanted.has(id)) await writePause(db, id, undefined);

  async function syncOne(id: string, options: ScheduleOptions): Promise<void> {
    // Describe each one: the list is eventually consistent and may lack existing schedules.
    const before = await describe(temporal, id);
    if (!before) {
      await within(DEADLINE_MS, temporal.connection, () => temporal.client.schedule.create(options));
      return;
    }
    const { paused, note = '' } = before.state;
    // Renew the baseline first: between the two writes the schedule would look overdue.
    if (pauses.has(id) && !paused) await resetBaseline(db, id);
    if (pauses.get(id) !== (paused ? note : undefined)) await writePause(db, id, paused ? note : undefined);
    if (before.action.memo?.['fingerprint'] !== options.action.memo?.['fingerprint'])
      await update(temporal, id, options);
  }
}

/** The message of the innermost cause, which names the reason of the refusal. */
function rootOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause !== undefined) return rootOf(error.cause);
  return isGrpcServiceError(error) ? error.details : error.message;
}

async function listAll(temporal: Temporal): Promise<ScheduleSummary[]> {
  const schedules: ScheduleSummary[] = [];
  for await (const schedule of temporal.client.schedule.list()) schedules.push(schedule);
  return schedules;
}

/** Undefined when Temporal has no such schedule. */
async function describe(temporal: Temporal, id: string): Promise<ScheduleDescription | undefined> {
  try {
    return await handle(temporal, id, (h) => h.describe());
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

async function update(temporal: Temporal, id: string, options: ScheduleOptions): Promise<void> {
  await handle(temporal, id, (h) =>
    h.update((previous) => ({
      spec: options.spec,
      action: options.action as typeof previous.action,
      policies: options.policies ?? {},
      state: previous.state,
    })),
  );
}

/** @param of.paused the note of its pause, if it has one */
function scheduleOptions(
  file: ParamsFile & { schedule: Schedule },
  of: { installation: string; paused: string | undefined },
): ScheduleOptions {
  const { schedule } = file;
  const spec =
    schedule.spec.kind === 'cron'
      ? { cronExpressions: [schedule.spec.cron], timezone: schedule.timezone }
      : { intervals: [{ every: schedule.spec.seconds * 1000 }] };
  return {
    scheduleId: schedule.id,
    spec,
    action: {
      type: 'startWorkflow',
      workflowType: SCHEDULED_JOB,
      taskQueue: TASK_QUEUE,
      workflowId: `syncrator-schedule/${schedule.id}`,
      args: [schedule.id],
      // An update can change the memo of the action, but not the schedule's own.
      memo: { fingerprint: wordsOf(schedule) },
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '10 minutes' },
    memo: { installation: of.installation },
    ...(of.paused === undefined ? {} : { state: { paused: true, note: of.paused } }),
  };
}

function wordsOf({ text, timezone }: Schedule): string {
  return `${text} ${timezone}`;
}

export type ScheduleState = {
  readonly paused: boolean;
  readonly note: string | null;
  /** The next firings as Temporal itself has them. */
  readonly next: readonly Date[];
  /** Firings that Temporal has skipped since the schedule was created; none of them reached us. */
  readonly leftOut: {
    /** Temporal was unreachable for longer than the catch-up window. */
    readonly tooLate: number;
    /** The firing before was still running: after an outage all but the first. */
    readonly overlapping: number;
  };
};

/** The states of the schedules that Temporal has and can describe. @throws TemporalUnavailable */
export async function describeSchedules(
  temporal: Temporal,
  ids: readonly string[],
  log?: Log,
): Promise<ReadonlyMap<string, ScheduleState>> {
  const states = new Map<string, ScheduleState>();
  const left = [...ids];
  const work = async () => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      const found = await describe(temporal, id).catch((error: unknown) => {
        if (!isTemporalUnavailable(error)) {
          log?.warn({ err: error, schedule: id }, 'Temporal cannot describe this schedule');
          return undefined;
        }
        left.length = 0; // the caller gets the error; skip the remaining ones
        throw error;
      });
      if (found) states.set(id, stateOf(found));
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, ids.length) }, work));
  return states;
}

function stateOf({ state, info }: ScheduleDescription): ScheduleState {
  return {
    paused: state.paused,
    note: state.note ?? null,
    next: info.nextActionTimes,
    leftOut: { tooLate: info.numActionsMissedCatchupWindow, overlapping: info.numActionsSkippedOverlap },
  };
}

/** @throws TemporalUnavailable, ScheduleNotFoundError */
export async function pauseSchedule(temporal: Temporal, id: string, note: string): Promise<void> {
  await handle(temporal, id, (h) => h.pause(note));
}

/** @throws TemporalUnavailable, ScheduleNotFoundError */
export async function resumeSchedule(temporal: Temporal, id: string, note: string): Promise<void> {
  await handle(temporal, id, (h) => h.unpause(note));
}

function handle<T>(
  temporal: Temporal,
  id: string,
  call: (handle: ReturnType<Temporal['client']['schedule']['getHandle']>) => Promise<T>,
): Promise<T> {
  return within(DEADLINE_MS, temporal.connection, () => call(temporal.client.schedule.getHandle(id)));
}
