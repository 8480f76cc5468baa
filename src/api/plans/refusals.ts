/** Refusals of plans and of their application: each names the thing, the reason and the fix. */
import { PLAN_DAYS } from '../../domain/change-plan.ts';
import { bodyProblem, Problem } from '../http/problem.ts';

export function noPlan(id: number): Problem {
  return new Problem(
    404,
    'unknown_plan',
    `job ${id} has no plan; GET /plans lists all, and a plan appears once its job has looked at everything`,
  );
}

/** 409 with the digest of the plan. */
export function planChanged(id: number, digest: string): Problem {
  return new Problem(
    409,
    'plan_changed',
    `plan ${id} is not the one that you have seen: its digest is ${digest}; look at it again, then apply it with that`,
    { members: { digest } },
  );
}

export function planStale(id: number, later: number): Problem {
  return new Problem(
    409,
    'plan_stale',
    `plan ${id} is stale: job ${later} of the same target has completed since; make a new plan`,
    { members: { job_id: later } },
  );
}

export function planApplied(id: number, by: number): Problem {
  return new Problem(409, 'plan_applied', `plan ${id} has been applied by job ${by}`, {
    headers: { location: `/jobs/${by}` },
    members: { job_id: by },
  });
}

export function planExpired(id: number): Problem {
  return new Problem(
    409,
    'plan_expired',
    `plan ${id} is older than ${PLAN_DAYS} days and has expired; make a new plan`,
  );
}

/** @param why the rest of the sentence */
export function cannotPlan(action: string, why: string): Problem {
  return bodyProblem([{ field: 'action', message: `'${action}' cannot be planned: ${why}` }]);
}
