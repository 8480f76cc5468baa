/** Why a kept plan cannot be applied, in the same words for every sink. Pure. */
import { PLAN_DAYS } from '../../domain/change-plan.ts';
import { JobError } from '../job-error.ts';

/** @param place the table or alias, as messages name it */
export function planStale(place: string, why: string): JobError {
  return new JobError(
    'planStale',
    `${place}: nothing was changed, since the plan no longer holds: ${why}. Make a new plan`,
  );
}

export const DATA_CHANGED = 'the data have changed since it was made';

/** @param of.isNewest false: a job has changed the data since @returns the plan, if it is this one @throws JobError `planStale` */
export function refuseOtherPlan<P extends { readonly uid: string; readonly digest: string }>(
  place: string,
  found: (P & { readonly expired: boolean }) | null,
  of: { readonly uid: string; readonly digest: string; readonly isNewest: boolean },
): P {
  if (!found || found.uid !== of.uid)
    throw planStale(
      place,
      `the plan ${of.uid} was applied, replaced, or dropped by a job that changed the data`,
    );
  if (found.digest !== of.digest) throw planStale(place, `the plan ${of.uid} has another digest`);
  if (found.expired) throw planStale(place, `it is older than ${PLAN_DAYS} days`);
  if (!of.isNewest) throw planStale(place, 'a job has changed the data since it was made');
  return found;
}
