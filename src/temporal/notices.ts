/** Hands what is to be told to Temporal, one workflow for each receiver; a loop in every worker. */
import { setTimeout as wait } from 'node:timers/promises';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { databaseTime } from '../db/clock.ts';
import { firstFirings } from '../db/firings.ts';
import { handOn, listOpenNotices, noticeMissed } from '../db/notices.ts';
import type { Db } from '../db/schema.ts';
import { listTargetStates } from '../db/target-states.ts';
import type { Notice } from '../domain/notice.ts';
import { NOTIFY, TASK_QUEUE } from '../domain/workflow.ts';
import type { JobParams } from '../job-params.ts';
import type { Log } from '../log.ts';
import { type Temporal, within } from './connect.ts';
import { firstDue } from './past-times.ts';
import { describeSchedules } from './schedules.ts';

export type NoticeDeps = {
  readonly db: Db;
  readonly temporal: Temporal;
  readonly params: JobParams;
  readonly installation: string;
  /** The names of the receivers that want to hear of it. */
  readonly receiversOf: (notice: Pick<Notice, 'event' | 'env' | 'target'>) => readonly string[];
  readonly log: Log;
};

const EVERY_MS = 1_000;
const START_MS = 2_000;
const DESCRIBE_MS = 5_000;
/** A schedule counts as missed so long after it was due: its job may still be at work. */
const PATIENCE_MS = 60 * 60_000;

/** Runs until the signal aborts. Several workers at once are harmless: a workflow's id is that of notice and receiver. */
export async function noticeLoop(deps: NoticeDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      for (const notice of await listOpenNotices(deps.db)) {
        for (const receiver of deps.receiversOf(notice)) await start(deps, notice, receiver);
        await handOn(deps.db, notice);
      }
    } catch (error) {
      deps.log.warn({ err: error }, 'notices cannot be handed on; the next pass tries again');
    }
    await wait(EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Neither address nor secret goes into it: Temporal keeps what a workflow is given. */
async function start(
  { temporal, installation }: NoticeDeps,
  notice: Notice,
  receiver: string,
): Promise<void> {
  try {
    await within(START_MS, temporal.connection, () =>
      temporal.client.workflow.start(NOTIFY, {
        workflowId: `syncrator-notify/${installation}/${notice.id}/${receiver}`,
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        taskQueue: TASK_QUEUE,
        args: [notice, receiver],
        staticSummary: `${notice.event}: ${notice.target} in ${notice.env}, to ${receiver}`,
      }),
    );
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** Which schedules have passed, an hour ago or more, without a success of their target since. A part of the reconciler. */
export async function noticeMissedSchedules({
  db,
  temporal,
  params,
}: Pick<NoticeDeps, 'db' | 'temporal' | 'params'>): Promise<void> {
  if (params.schedules.length === 0) return;
  const ids = params.schedules.map(({ schedule }) => schedule.id);
  const [states, first] = await Promise.all([listTargetStates(db), firstFirings(db, ids)]);
  const now = databaseTime(db);
  const missed = params.schedules.flatMap(({ schedule, env, target }) => {
    const success = states.find((of) => of.env === env && of.target === target)?.last_success_at;
    const since = success ?? first.get(schedule.id);
    const at = since && firstDue(schedule, since);
    return at && now.getTime() - at.getTime() > PATIENCE_MS
      ? [{ schedule: schedule.id, env, target, at }]
      : [];
  });
  if (missed.length === 0) return;
  const told = await within(DESCRIBE_MS, temporal.connection, () =>
    describeSchedules(
      temporal,
      missed.map(({ schedule }) => schedule),
    ),
  );
  for (const one of missed) if (told.get(one.schedule)?.paused === false) await noticeMissed(db, one);
}
