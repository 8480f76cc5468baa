/** Starts one Temporal workflow per notice and receiver, which delivers it; a loop in every worker. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { databaseTime } from '../db/clock.ts';
import { isDatabaseUnavailable } from '../db/connect.ts';
import { handOn, listOpenNotices, noticeMissed } from '../db/notices.ts';
import type { Db } from '../db/schema.ts';
import type { Notice } from '../domain/notice.ts';
import { NOTIFY, TASK_QUEUE } from '../domain/workflow.ts';
import type { JobParams } from '../job-params/load.ts';
import type { Log } from '../log.ts';
import { isTemporalUnavailable } from '../temporal/unavailable.ts';
import { type Temporal, within } from '../temporal/connect.ts';
import { every } from './every.ts';
import { dueSince, readScheduleNumbers } from './overdue.ts';

export type NotificationDeps = {
  readonly db: Db;
  readonly temporal: Temporal;
  readonly params: JobParams;
  readonly installation: string;
  /** The names of the receivers that subscribed to the event. */
  readonly receiversOf: (notice: Pick<Notice, 'event' | 'env' | 'target'>) => readonly string[];
  readonly log: Log;
};

const EVERY_MS = 1_000;
const START_MS = 2_000;
/** A schedule counts as missed this long after it was due: until then its job may still run. */
const PATIENCE_MS = 60 * 60_000;

/** Runs until the signal aborts. Several workers at once are harmless: notice and receiver make the workflow's id. */
export async function notificationLoop(deps: NotificationDeps, signal: AbortSignal): Promise<void> {
  const pass = async () => {
    for (const notice of await listOpenNotices(deps.db)) await dispatch(deps, notice);
  };
  await every(EVERY_MS, signal, pass, (error) => {
    deps.log.warn({ err: error }, 'notifications cannot be dispatched; retrying with the next pass');
  });
}

/** A notice that Temporal refuses does not delay the others; the next pass retries it. */
async function dispatch(deps: NotificationDeps, notice: Notice): Promise<void> {
  try {
    for (const receiver of deps.receiversOf(notice)) await start(deps, notice, receiver);
    await handOn(deps.db, notice);
  } catch (error) {
    if (isTemporalUnavailable(error) || isDatabaseUnavailable(error)) throw error;
    deps.log.warn(
      { err: error, notice: notice.id },
      'this notification cannot be dispatched; retrying with the next pass',
    );
  }
}

/** Passes no address and no secret to the workflow: Temporal stores its arguments. */
async function start(
  { temporal, installation }: NotificationDeps,
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

/**
 * Records a notice for each schedule that was due an hour ago or earlier and whose action has not succeeded since. Paused
 * schedules are left out; their pauses are the ones that the reconciler stored last, so no call to Temporal is needed. A
 * part of the reconciler.
 */
export async function noticeMissedSchedules({
  db,
  params,
}: Pick<NotificationDeps, 'db' | 'params'>): Promise<void> {
  if (params.schedules.length === 0) return;
  const { promises, standings, pauses } = await readScheduleNumbers(db, params);
  const now = databaseTime(db);
  for (const file of params.schedules) {
    const { schedule, env, target } = file;
    const at = dueSince(file, { promises, standings });
    if (!at || pauses.has(schedule.id) || now.getTime() - at.getTime() <= PATIENCE_MS) continue;
    await noticeMissed(db, { schedule: schedule.id, env, target, at });
  }
}
