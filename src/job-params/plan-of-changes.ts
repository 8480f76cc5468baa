/** Jobs that make a plan of changes, and that apply one: as their params file declares the planned action. Pure. */
import { APPLY, PLAN, planName } from '../domain/action.ts';
import { PLAN_DIGEST, PLAN_OF, PLAN_UID, withoutForce } from '../domain/options.ts';
import type { ParamsFile } from './parse.ts';
import { planDeclared, planJob, type PlannedJob, type Planning } from './plan-job.ts';

/** The job that finds out what the action of a file would change. @throws InvalidOptions */
export function planPlan(planning: Planning, file: ParamsFile): PlannedJob {
  const { action_name: name, action, options } = file.parameters;
  const job = planJob(planning, {
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
  return { ...job, ...promotionOf(planning, file) };
}

/**
 * PROMOTE_FROM asks for a run of the planned action: the options of a plan are its own. A plan is refused like its apply, which
 * may do what the params file said when the plan was made.
 */
function promotionOf(planning: Planning, file: ParamsFile): Pick<PlannedJob, 'promotion'> {
  const { promotion } = planDeclared(planning, file);
  return promotion === undefined ? {} : { promotion: { ...promotion, action: file.parameters.action } };
}

/** The job that makes the changes of a plan. The plan has passed the guards, so nothing is left to force. @throws InvalidOptions */
export function planApply(
  planning: Planning,
  file: ParamsFile,
  { uid, digest }: { readonly uid: string; readonly digest: string },
): PlannedJob {
  const { action_name: name, options } = file.parameters;
  const job = planJob(planning, {
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
  return { ...job, ...promotionOf(planning, file) };
}

/** The job that the schedule of a file starts. @throws InvalidOptions */
export function planScheduled(planning: Planning, file: ParamsFile): PlannedJob {
  return file.mode === 'plan' ? planPlan(planning, file) : planDeclared(planning, file);
}
