/**
 * What a job is counted under: names of job_params alone. Targets that a TARGET_PATTERN lets in and words that callers
 * choose have no end, and each would be numbers for ever. Pure.
 */
import type { Counted, JobParameters, Key } from './domain/job.ts';
import type { ParamsFile } from './params-file.ts';

type Params = { readonly files: readonly ParamsFile[] };

/** What nobody declared. */
const OTHER = 'other';
/** Of every target, without a file of its own. */
const ROLLBACK = 'rollback';

/** A family of targets counts as one, by the TARGET of its file; an action counts if it does what its file says. */
export function countedAs(
  params: Params,
  { env, target }: Key,
  { action_name: name, action }: Pick<JobParameters, 'action_name' | 'action'>,
): Counted {
  const inEnv = params.files.filter((file) => file.env === env);
  const own = inEnv.filter((file) => file.targetPattern === null && file.target === target);
  const files = own.length > 0 ? own : inEnv.filter((file) => file.targetPattern?.fits(target) === true);
  const declared = files.find(
    ({ parameters }) => parameters.action_name === name && parameters.action === action,
  );
  if (declared) return { target: declared.target, action: name };
  if (!files[0]) return { target: OTHER, action: OTHER };
  const isRollback = name === ROLLBACK && action === ROLLBACK;
  return { target: files[0].target, action: isRollback ? ROLLBACK : OTHER };
}

/** Every declared action, each once. */
export function declaredActions(params: Params): (Counted & { readonly env: string })[] {
  return once(
    params.files.map(({ env, target, parameters }) => ({ env, target, action: parameters.action_name })),
  );
}

/** All that `countedAs` may say. */
export function countedKeys(params: Params): (Counted & { readonly env: string })[] {
  const envs = params.files.map(({ env }) => ({ env, target: OTHER, action: OTHER }));
  const targets = params.files.flatMap(({ env, target }) =>
    [ROLLBACK, OTHER].map((action) => ({ env, target, action })),
  );
  return once([...declaredActions(params), ...targets, ...envs]);
}

function once<T extends Counted & { readonly env: string }>(keys: readonly T[]): T[] {
  return [...new Map(keys.map((key) => [`${key.env}/${key.target}/${key.action}`, key])).values()];
}
