/** Hands what is to be told to Temporal, one workflow for each receiver; a loop in every worker. */
import { setTimeout as wait } from 'node:timers/promises';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { databaseTime } from '../db/clock.ts';
import { handOn, listOpenNotices, noticeMissed } from '../db/notices.ts';
import type { Db } from '../db/schema.ts';
import type { Notice } from '../domain/notice.ts';
import { NOTIFY, TASK_QUEUE } from '../domain/workflow.ts';
import type { JobParams } from '../job-params.ts';
import type { Log } from '../log.ts';
import { type Temporal, within } from './connect.ts';
import { dueSince, readScheduleNumbers } from './overdue.ts';

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

/**
 * Which schedules have passed, an hour ago or more, without a success of their action since. Of a paused one nothing is
 * told; pauses are those that the reconciler saw last, so that it needs no Temporal. A part of the reconciler.
 */
export async function noticeMissedSchedules({
  db,
  params,
}: Pick<NoticeDeps, 'db' | 'params'>): Promise<void> {
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
