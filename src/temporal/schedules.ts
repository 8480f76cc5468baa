/** Temporal Schedules made from job_params: created, updated, removed, paused, described. */
import {
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type ScheduleDescription,
  type ScheduleOptions,
  type ScheduleSummary,
} from '@temporalio/client';
import { readPauses, writePause } from '../db/schedule-pauses.ts';
import { renewPromise, writePromises } from '../db/schedule-promises.ts';
import type { Db } from '../db/schema.ts';
import { SCHEDULED_JOB, TASK_QUEUE } from '../domain/workflow.ts';
import type { JobParams, ParamsFile, Schedule } from '../job-params.ts';
import { type Temporal, within } from './connect.ts';

const DEADLINE_MS = 5_000;
/** Descriptions asked for at once: a hundred schedules one after the other take over a second. */
const AT_ONCE = 16;

/**
 * Makes Temporal's schedules agree with the params files. An existing one keeps its pause, and one that Temporal has lost
 * gets it again; only schedules that carry this installation's uuid are removed. Safe to repeat and to run in several
 * workers at once.
 */
export async function syncSchedules({
  db,
  temporal,
  params,
  installation,
}: {
  db: Db;
  temporal: Temporal;
  params: JobParams;
  installation: string;
}): Promise<void> {
  const pauses = await readPauses(db);
  const wanted = new Map(params.schedules.map((file) => [file.schedule.id, file]));
  // Before Temporal is asked: one that it never gets to know is missed all the same.
  await writePromises(db, new Map([...wanted].map(([id, { schedule }]) => [id, wordsOf(schedule)])));
  const stored = await within(DEADLINE_MS, temporal.connection, () => listAll(temporal));
  for (const { scheduleId, memo } of stored)
    if (memo?.['installation'] === installation && !wanted.has(scheduleId))
      await handle(temporal, scheduleId, (h) => h.delete());
  for (const [id, file] of wanted) {
    const options = scheduleOptions(file, { installation, paused: pauses.get(id) });
    // Asked one by one: the list is eventually consistent, and what it does not show may be there all the same.
    const before = await describe(temporal, id);
    if (!before) {
      await within(DEADLINE_MS, temporal.connection, () => temporal.client.schedule.create(options));
      continue;
    }
    const { paused, note = '' } = before.state;
    // First: between the two it would be told as late.
    if (pauses.has(id) && !paused) await renewPromise(db, id);
    if (pauses.get(id) !== (paused ? note : undefined)) await writePause(db, id, paused ? note : undefined);
    if (before.action.memo?.['fingerprint'] !== options.action.memo?.['fingerprint'])
      await update(temporal, id, options);
  }
  for (const id of pauses.keys()) if (!wanted.has(id)) await writePause(db, id, undefined);
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
      // An update cannot change the schedule's own memo, but it can this one.
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
  /** Firings that Temporal has left out since it has the schedule; none of them reached us. */
  readonly leftOut: {
    /** Temporal was away for longer than the catch-up window. */
    readonly tooLate: number;
    /** The firing before was under way: of what an outage held up, all but the first. */
    readonly overlapping: number;
  };
};

/** The states of those that Temporal has. @throws TemporalAway */
export async function describeSchedules(
  temporal: Temporal,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ScheduleState>> {
  const states = new Map<string, ScheduleState>();
  const left = [...ids];
  const work = async () => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      const found = await describe(temporal, id).catch((error: unknown) => {
        left.length = 0; // nobody waits for the others any more
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

/** @throws TemporalAway, ScheduleNotFoundError */
export async function pauseSchedule(temporal: Temporal, id: string, note: string): Promise<void> {
  await handle(temporal, id, (h) => h.pause(note));
}

/** @throws TemporalAway, ScheduleNotFoundError */
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
