/** Computes since when a schedule waits for a success of its action; for notifications and Prometheus. */
import { declaredActions, scheduledPlanOf } from '../job-params/metric-labels.ts';
import { readPauses } from '../db/schedules/pauses.ts';
import { readBaselines, readRefusals } from '../db/schedules/baselines.ts';
import type { Db } from '../db/schema.ts';
import { listActionHealth, type ActionHealth } from '../db/views/totals.ts';
import type { JobParams } from '../job-params/load.ts';
import { firstDue } from './previous-firings.ts';

export type ScheduleNumbers = {
  readonly promises: ReadonlyMap<string, Date>;
  /** One per declared action. */
  readonly standings: readonly ActionHealth[];
  /** Notes of paused schedules. */
  readonly pauses: ReadonlyMap<string, string>;
  /** Reasons by schedule that Temporal refuses. */
  readonly refusals: ReadonlyMap<string, string>;
};

export async function readScheduleNumbers(db: Db, params: JobParams): Promise<ScheduleNumbers> {
  const [promises, standings, pauses, refusals] = await Promise.all([
    readBaselines(db),
    listActionHealth(db, declaredActions(params)),
    readPauses(db),
    readRefusals(db),
  ]);
  return { promises, standings, pauses, refusals };
}

/**
 * The first firing after the last success of its action, or after the schedule was created, changed or resumed, whichever
 * was later. It may lie in the future; undefined while no worker has seen the schedule.
 */
export function dueSince(
  file: JobParams['schedules'][number],
  { promises, standings }: Pick<ScheduleNumbers, 'promises' | 'standings'>,
): Date | undefined {
  const { schedule, env, target, parameters } = file;
  const action = scheduledPlanOf(file) ?? parameters.action_name;
  const promised = promises.get(schedule.id);
  if (!promised) return undefined;
  const success = standings.find(
    (of) => of.env === env && of.target === target && of.action === action,
  )?.last_success_at;
  return firstDue(schedule, success && success > promised ? success : promised);
}
