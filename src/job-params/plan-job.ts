/**
 * Plans a job from a params file: steps, metric labels and everything else that a submission needs, except the
 * caller. Pure.
 */
import type {
  ActionParameters,
  MetricLabels,
  JobParameters,
  JobRequest,
  Key,
  RunnerKind,
} from '../domain/job.ts';
import { FORGET, ROLLBACK, TAKE_OVER } from '../domain/action.ts';
import { appliedPlan, storyOf } from '../domain/options.ts';
import { needsPromotion } from '../domain/promotion.ts';
import { planSteps, STEP_DEFAULTS } from '../domain/plan.ts';
import { metricLabels } from './metric-labels.ts';
import type { ParamsFile } from './parse.ts';

/** Defaults of this installation. */
export type JobDefaults = {
  readonly runner: RunnerKind;
  /** Image of our own program, without its tag. */
  readonly image: string;
};

export type Planning = {
  readonly params: { readonly files: readonly ParamsFile[] };
  readonly defaults: JobDefaults;
};

/** A job that can be submitted once its trigger adds the caller and the reason. */
export type PlannedJob = JobRequest & { readonly counted: MetricLabels };

/** Thrown for OPTIONS that the program's steps cannot be planned from; the message says why. */
export class InvalidOptions extends Error {}

export type JobPlan = {
  /** Sets image, command and limits; undefined = the defaults of every params file. */
  readonly file: ParamsFile | undefined;
  /** The checked parameters that the action needs beside its target. */
  readonly actionParameters?: ActionParameters | undefined;
} & Key & { readonly parameters: JobParameters };

/** Plans the job that a params file declares. */
export function planDeclared(planning: Planning, file: ParamsFile): PlannedJob {
  const { env, target, parameters } = file;
  return { ...planJob(planning, { file, env, target, parameters }), ...queueOf(file) };
}

/** Only a start of the declared action itself may be remembered; a resume, a hook and a rollback have ways of their own. */
export function queueOf({ conflicts: { queue } }: ParamsFile): Pick<PlannedJob, 'queue'> {
  return queue === null ? {} : { queue };
}

/** @throws InvalidOptions */
export function planJob({ params, defaults }: Planning, of: JobPlan): PlannedJob {
  const { file, env, target, parameters, actionParameters = {} } = of;
  const plan = planSteps(parameters, file?.defaults ?? STEP_DEFAULTS, defaults.image);
  if ('error' in plan) throw new InvalidOptions(plan.error);
  return {
    env,
    target,
    parameters,
    runner: file?.runner === 'external' ? 'external' : defaults.runner,
    steps: plan.steps,
    counted: metricLabels(params, { env, target }, parameters),
    ...(Object.keys(actionParameters).length > 0 ? { actionParameters } : {}),
    ...rulesOf(file, parameters, plan.steps),
  };
}

/** Actions that work on what the sink keeps of its own history; an application and a story are told by their options. */
const OF_SINK: readonly string[] = [ROLLBACK, TAKE_OVER, FORGET];

function readsSource(job: JobParameters): boolean {
  return !OF_SINK.includes(job.action) && appliedPlan(job) === undefined && storyOf(job) === undefined;
}

function rulesOf(
  file: ParamsFile | undefined,
  parameters: JobParameters,
  steps: JobRequest['steps'],
): Pick<JobRequest, 'sourceName' | 'promotion'> {
  const { action_name, action } = parameters;
  const { sourceName = null, promotion = null } = file?.conflicts ?? {};
  return {
    ...(sourceName !== null && readsSource(parameters) ? { sourceName } : {}),
    ...(promotion !== null && needsPromotion(parameters)
      ? { promotion: { ...promotion, action_name, action, steps } }
      : {}),
  };
}
