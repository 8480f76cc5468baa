/** Jobs that make a plan of changes, and that apply one: as their params file declares the planned action. Pure. */
import { APPLY, PLAN, planName } from '../domain/action.ts';
import { PLAN_DIGEST, PLAN_OF, PLAN_UID, withoutForce } from '../domain/options.ts';
import type { ParamsFile } from './parse.ts';
import { type JobPlan, planDeclared, planJob, type PlannedJob, type Planning } from './plan-job.ts';

/** The job that finds out what the action of a file would change. @throws InvalidOptions */
export function planPlan(planning: Planning, file: ParamsFile): PlannedJob {
  const { action_name: name, action, options } = file.parameters;
  return asGuarded(planning, file, {
    file,
    env: file.env,
    target: file.target,
    parameters: {
      ...file.parameters,
      action_name: planName(PLAN, name),
      action: PLAN,
      options: `${options} ${PLAN_OF} ${action}`.trim(),
    },
  });
}

/** The job that makes the changes of a plan. The plan has passed the guards, so nothing is left to force. @throws InvalidOptions */
export function planApply(
  planning: Planning,
  file: ParamsFile,
  { uid, digest }: { readonly uid: string; readonly digest: string },
): PlannedJob {
  const { action_name: name, options } = file.parameters;
  return asGuarded(planning, file, {
    file,
    env: file.env,
    target: file.target,
    parameters: {
      ...file.parameters,
      action_name: planName(APPLY, name),
      action: APPLY,
      options: `${withoutForce(options)} ${PLAN_UID} ${uid} ${PLAN_DIGEST} ${digest}`.trim(),
    },
  });
}

/** What must have run elsewhere (PROMOTE_FROM) is the planned action: it alone has the same steps in each env. */
function asGuarded(planning: Planning, file: ParamsFile, of: JobPlan): PlannedJob {
  return { ...planJob(planning, of), promotion: planDeclared(planning, file).promotion };
}

/** The job that the schedule of a file starts. @throws InvalidOptions */
export function planScheduled(planning: Planning, file: ParamsFile): PlannedJob {
  return file.mode === 'plan' ? planPlan(planning, file) : planDeclared(planning, file);
}
