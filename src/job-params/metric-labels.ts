/**
 * The metric labels of a job: only names that job_params declares. Targets that match a TARGET_PATTERN and names that
 * callers choose are unbounded, and each would be a time series for ever. Pure.
 */
import {
  APPLY,
  FORGET,
  PLAN,
  plannedName,
  planName,
  REMOVE,
  ROLLBACK,
  ROLLBACK_PREVIEW,
  STORY,
  TAKE_OVER,
} from '../domain/action.ts';
import type { MetricLabels, JobParameters, Key } from '../domain/job.ts';
import type { ParamsFile } from './parse.ts';

type Params = { readonly files: readonly ParamsFile[] };

/** The label of every target or action that no params file declares. */
const OTHER = 'other';
/** ACTION_NAME and ACTION of the actions without their own params file. */
const BESIDE_SYNC = [
  { name: ROLLBACK, does: ROLLBACK },
  { name: ROLLBACK_PREVIEW, does: ROLLBACK },
  { name: TAKE_OVER, does: TAKE_OVER },
  { name: REMOVE, does: REMOVE },
  { name: FORGET, does: FORGET },
  { name: STORY, does: STORY },
];

/**
 * Targets of one TARGET_PATTERN share the TARGET of its file. An ACTION_NAME is kept as a label if its ACTION is
 * the declared one.
 */
export function metricLabels(
  params: Params,
  { env, target }: Key,
  { action_name: name, action }: Pick<JobParameters, 'action_name' | 'action'>,
): MetricLabels {
  const inEnv = params.files.filter((file) => file.env === env);
  const own = inEnv.filter((file) => file.targetPattern === null && file.target === target);
  const files = own.length > 0 ? own : inEnv.filter((file) => file.targetPattern?.fits(target) === true);
  const declared = files.find(
    ({ parameters }) => parameters.action_name === name && parameters.action === action,
  );
  if (declared) return { target: declared.target, action: name };
  if (action === PLAN && files.some((file) => scheduledPlanOf(file) === name))
    return { target: files[0]?.target ?? OTHER, action: name };
  if (!files[0]) return { target: OTHER, action: OTHER };
  // One label for all plans of a target: a file for each would be three times as many time series.
  if (plannedName({ action_name: name, action }) !== undefined) return { target: files[0].target, action };
  const beside = BESIDE_SYNC.find((one) => one.name === name && one.does === action);
  return { target: files[0].target, action: beside?.name ?? OTHER };
}

/** The name of the plans that a schedule promises: whether it keeps its word is told by these alone. */
export function scheduledPlanOf({ mode, parameters }: ParamsFile): string | undefined {
  return mode === 'plan' ? planName(PLAN, parameters.action_name) : undefined;
}

/** Every declared action, and every plan that a schedule starts, each once. */
export function declaredActions(params: Params): (MetricLabels & { readonly env: string })[] {
  return once(
    params.files.flatMap((file) =>
      [file.parameters.action_name, scheduledPlanOf(file)]
        .filter((action) => action !== undefined)
        .map((action) => ({ env: file.env, target: file.target, action })),
    ),
  );
}

/** Every result that `metricLabels` may have. */
export function allMetricLabels(params: Params): (MetricLabels & { readonly env: string })[] {
  const envs = params.files.map(({ env }) => ({ env, target: OTHER, action: OTHER }));
  const targets = params.files.flatMap(({ env, target }) =>
    [...BESIDE_SYNC.map(({ name }) => name), PLAN, APPLY, OTHER].map((action) => ({ env, target, action })),
  );
  return once([...declaredActions(params), ...targets, ...envs]);
}

function once<T extends MetricLabels & { readonly env: string }>(keys: readonly T[]): T[] {
  return [...new Map(keys.map((key) => [`${key.env}/${key.target}/${key.action}`, key])).values()];
}
