/** Since when a schedule waits for its action to succeed: for who is told of it, and for Prometheus. */
import { declaredActions } from '../counted-as.ts';
import { readPauses } from '../db/schedule-pauses.ts';
import { readPromises } from '../db/schedule-promises.ts';
import type { Db } from '../db/schema.ts';
import { listStandings, type Standing } from '../db/totals.ts';
import type { JobParams } from '../job-params.ts';
import { firstDue } from './past-times.ts';

export type ScheduleNumbers = {
  readonly promises: ReadonlyMap<string, Date>;
  /** Of every declared action. */
  readonly standings: readonly Standing[];
  /** Notes of paused schedules. */
  readonly pauses: ReadonlyMap<string, string>;
};

export async function readScheduleNumbers(db: Db, params: JobParams): Promise<ScheduleNumbers> {
  const [promises, standings, pauses] = await Promise.all([
    readPromises(db),
    listStandings(db, declaredActions(params)),
    readPauses(db),
  ]);
  return { promises, standings, pauses };
}

/**
 * The first firing after the last success of its own action, or after it was made, changed or resumed, whichever was
 * later: before that nothing was promised. It may lie ahead; undefined while no worker has seen the schedule.
 */
export function dueSince(
  { schedule, env, target, parameters }: JobParams['schedules'][number],
  { promises, standings }: Pick<ScheduleNumbers, 'promises' | 'standings'>,
): Date | undefined {
  const promised = promises.get(schedule.id);
  if (!promised) return undefined;
  const success = standings.find(
    (of) => of.env === env && of.target === target && of.action === parameters.action_name,
  )?.last_success_at;
  return firstDue(schedule, success && success > promised ? success : promised);
}
