/** A declared action as a job that can be submitted: what every trigger does with a params file. Pure. */
import type { ActionParameters, JobParameters, JobRequest, Key, RunnerKind } from './domain/job.ts';
import { planSteps, STEP_DEFAULTS } from './domain/plan.ts';
import type { ParamsFile } from './params-file.ts';

/** Of this installation. */
export type JobDefaults = {
  readonly runner: RunnerKind;
  /** Of our own program, without its tag. */
  readonly image: string;
};

/**
 * @param file whose limits apply; undefined = those that every file has
 * @param given what the action needs beside its target, checked
 * @returns the job, or what is wrong with its OPTIONS
 */
export function planJob(
  { runner, image }: JobDefaults,
  { env, target }: Key,
  parameters: JobParameters,
  file: ParamsFile | undefined,
  given: ActionParameters = {},
): JobRequest | { readonly error: string } {
  const plan = planSteps(parameters, file?.defaults ?? STEP_DEFAULTS, image);
  if ('error' in plan) return plan;
  return {
    env,
    target,
    parameters,
    runner: file?.runner === 'external' ? 'external' : runner,
    steps: plan.steps,
    ...(Object.keys(given).length > 0 ? { actionParameters: given } : {}),
  };
}
