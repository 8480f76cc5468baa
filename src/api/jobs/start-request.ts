/** Plans the job that a request asks for, from what job_params declares. Errors name the part that is unknown. */
import type { Config } from '../../config/config.ts';
import { type Checked, checkActionParameters } from '../../job-params/action-parameters.ts';
import {
  InvalidOptions,
  type JobPlan,
  planJob,
  type PlannedJob,
  queueOf,
} from '../../job-params/plan-job.ts';
import { APPLY, PLAN, REMOVE, TARGET_ACTIONS } from '../../domain/action.ts';
import type { JobParameters, Key } from '../../domain/job.ts';
import { FILTERED } from '../../domain/mask.ts';
import type { JobParams, ParamsFile } from '../../job-params/load.ts';
import { didYouMean } from '../../domain/closest-match.ts';
import { areSameOptions, withoutForce } from '../../domain/options.ts';
import { bodyProblem, Problem } from '../http/problem.ts';

type Deps = { readonly config: Config; readonly params: JobParams };

/** The file behind `/<action>/<target>/<env>`. @throws Problem 404 saying which part is unknown and what is known */
export function findFile(params: JobParams, of: { env: string; name: string; action: string }): ParamsFile {
  const file = params.find(of);
  if (file) return file;
  const inEnv = params.files.filter((f) => f.env === of.env);
  if (inEnv.length === 0)
    throw unknownName(
      'env',
      of.env,
      '',
      params.files.map((f) => f.env),
    );
  const ofTarget = inEnv.filter((f) => f.name === of.name || f.targetPattern?.fits(of.name) === true);
  if (ofTarget.length === 0) throw unknownName('target', of.name, ` in env '${of.env}'`, inEnv.map(nameOf));
  throw unknownName(
    'action',
    of.action,
    ` of target '${of.name}' in env '${of.env}'`,
    ofTarget.map((f) => f.parameters.action_name),
  );
}

/** 404 that names the known ones, and the closest. */
export function unknownName(what: string, value: string, where: string, names: readonly string[]): Problem {
  return new Problem(
    404,
    `unknown_${what}`,
    `unknown ${what} '${value.slice(0, 80)}'${where}; known: ${known(names) || 'none'}${didYouMean(value, names)}`,
  );
}

/** The target's name, or its pattern, as a request may give it. */
function nameOf({ name, targetPattern }: ParamsFile): string {
  return targetPattern === null ? name : `/${targetPattern.text}/`;
}

/**
 * Plans the job that a params file declares.
 * @param given the request's fields beside target and action, unchecked
 * @throws Problem 422 naming what is missing or unknown
 */
export function planDeclaredJob(
  deps: Deps,
  file: ParamsFile,
  given: Readonly<Record<string, unknown>> = {},
): PlannedJob {
  const checked = checkActionParameters(file.actionParameters, file.target, given);
  if ('faults' in checked) throw needsParameters(file.parameters.action_name, checked.faults);
  const { parameters: actionParameters } = checked;
  const planned = plan(deps, { file, ...keyOf(file), parameters: file.parameters, actionParameters });
  return { ...planned, ...queueOf(file) };
}

type Faults = Extract<Checked, { faults: unknown }>['faults'];

/** 422 that points to POST /jobs, the only route that accepts action parameters. */
export function needsParameters(action: string, faults: Faults): Problem {
  const detail = faults.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return new Problem(422, 'needs_parameters', `${action}: ${detail}; ask for it with POST /jobs`, {
    members: { errors: faults },
  });
}

/** Plans a declared job that is limited to one item of the bank. */
export function planItemJob(deps: Deps, file: ParamsFile, item: string): PlannedJob {
  const options = `${file.parameters.options} --item ${item}`.trim();
  return plan(deps, { file, ...keyOf(file), parameters: { ...file.parameters, options } });
}

/**
 * Plans a rollback or a take-over from the params file of the target's sync, without --force-delete: the delete guard
 * does not apply to them.
 * @param flags added to the sync's OPTIONS
 */
export function planBesideSync(
  deps: Deps,
  file: ParamsFile,
  of: Pick<JobParameters, 'action_name' | 'action'>,
  flags: readonly string[] = [],
): PlannedJob {
  const options = [withoutForce(file.parameters.options), ...flags].join(' ').trim();
  return plan(deps, { file, ...keyOf(file), parameters: { ...file.parameters, ...of, options } });
}

/**
 * The params file that gives a job its image, command and limits: one that declares its ACTION, and among several the one
 * with its ACTION_NAME. Undefined when none does.
 */
export function declaringFile(
  files: readonly ParamsFile[],
  { action_name, action }: Pick<JobParameters, 'action_name' | 'action'>,
): ParamsFile | undefined {
  const declaring = files.filter(({ parameters }) => parameters.action === action);
  const called = (name: string) => declaring.find(({ parameters }) => parameters.action_name === name);
  return called(action_name) ?? called(action) ?? declaring[0];
}

/** The file that stands in for an action that no file declares; a diff deletes, so it prefers the delete's file. */
function standInFile(files: readonly ParamsFile[], action: string): ParamsFile | undefined {
  const alike = action === 'diff' ? ['delete', 'sync'] : ['sync'];
  return alike
    .map((one) => declaringFile(files, { action_name: one, action: one }))
    .find((file) => file !== undefined);
}

/** Plans the job that POST /run asks for. @throws Problem 422 naming the field that is not declared */
export function planRunJob(
  deps: Deps,
  body: { target: string; env: string } & Omit<JobParameters, 'mam_main_query'> & {
      mam_main_query?: string | undefined;
    },
): PlannedJob {
  const { params } = deps;
  refuseFiltered(body);
  const inEnv = params.files.filter((f) => f.env === body.env);
  if (inEnv.length === 0)
    throw bodyProblem([
      {
        field: 'env',
        message: `'${body.env}' is not declared; known: ${known(params.files.map((f) => f.env))}`,
      },
    ]);
  const files = params.filesOf(body);
  if (files.length === 0)
    throw bodyProblem([
      {
        field: 'target',
        message: `'${body.target}' is not declared in env '${body.env}'; known: ${known(inEnv.map(nameOf))}`,
      },
    ]);
  if (body.action === REMOVE && declaringFile(files, body) === undefined) throw needsApproval();
  if ((body.action === PLAN || body.action === APPLY) && !isDeclared(files, body))
    throw needsPlan(body.action);
  const actions = [...TARGET_ACTIONS, ...params.files.map((f) => f.parameters.action)];
  if (!actions.includes(body.action))
    throw bodyProblem([
      { field: 'action', message: `'${body.action}' is unknown; known: ${known(actions)}` },
    ]);
  const declaring = declaringFile(files, body);
  const file = declaring ?? standInFile(files, body.action);
  if (file === undefined && files.every((f) => f.runner === 'external'))
    // Its executor runs only declared actions; our own program must not touch the same target.
    throw bodyProblem([
      {
        field: 'action',
        message: `'${body.action}' is unknown to its executor; known: ${known(files.map((f) => f.parameters.action_name))}`,
      },
    ]);
  const checked = checkActionParameters(file?.actionParameters ?? null, files[0]?.target ?? '', {});
  if ('faults' in checked) throw needsParameters(body.action_name, checked.faults);
  const parameters: JobParameters = {
    action_name: body.action_name,
    action: body.action,
    is_tag: body.is_tag,
    options: body.options,
    mam_main_query: body.mam_main_query ?? null,
  };
  if (file) refuseCallerOptions(file, parameters);
  const planned = plan(deps, { file, env: body.env, target: files[0]?.target ?? body.target, parameters });
  return { ...planned, ...(declaring && queueOf(declaring)) };
}

/** A caller cannot start a removal. */
export function needsApproval(): Problem {
  return new Problem(
    400,
    'needs_approval',
    `action: '${REMOVE}' cannot be asked for; approve a loss (GET /losses, POST /losses/{id}/approve), and its last approval starts the removal`,
  );
}

/** By its own name, too: limits take the name of a plan for that of the planned action. */
function isDeclared(
  files: readonly ParamsFile[],
  { action_name: name, action }: Pick<JobParameters, 'action_name' | 'action'>,
): boolean {
  return files.some(({ parameters }) => parameters.action_name === name && parameters.action === action);
}

/** A caller cannot start these by parameters: a plan is that of a params file. */
export function needsPlan(action: typeof PLAN | typeof APPLY): Problem {
  const route =
    action === PLAN
      ? 'POST /plan/{action}/{target}/{env} makes a plan'
      : 'POST /plans/{id}/apply applies a plan';
  return new Problem(400, 'needs_plan', `action: '${action}' cannot be asked for by parameters; ${route}`);
}

/** A program that is not ours accepts only the values of its params file: its reaction to others is unchecked. */
function refuseCallerOptions({ file, defaults, parameters }: ParamsFile, asked: JobParameters): void {
  if (defaults.callerOptions) return;
  const isOther = {
    is_tag: asked.is_tag !== parameters.is_tag,
    options: !areSameOptions(asked.options, parameters.options),
    mam_main_query: asked.mam_main_query !== parameters.mam_main_query,
  };
  const faults = Object.entries(isOther).flatMap(([field, other]) =>
    other ? [{ field, message: `must be what ${file} says, unless that has CALLER_OPTIONS=true` }] : [],
  );
  if (faults.length > 0) throw bodyProblem(faults);
}

/** Rejects options copied from a page that masks secrets: the program would get the mask instead of the secret. */
function refuseFiltered(
  body: Pick<JobParameters, 'options'> & { mam_main_query?: string | undefined },
): void {
  const faults = (['options', 'mam_main_query'] as const)
    .filter((field) => body[field]?.includes(FILTERED))
    .map((field) => ({ field, message: `holds ${FILTERED}: write the secret that it stands for` }));
  if (faults.length > 0) throw bodyProblem(faults);
}

const keyOf = ({ env, target }: ParamsFile): Key => ({ env, target });

function plan(deps: Deps, of: JobPlan): PlannedJob {
  return planned(() => planJob({ params: deps.params, defaults: deps.config }, of));
}

/** @throws Problem 422 for OPTIONS that no job can be planned from */
export function planned(planning: () => PlannedJob): PlannedJob {
  try {
    return planning();
  } catch (error) {
    if (!(error instanceof InvalidOptions)) throw error;
    throw bodyProblem([{ field: 'options', message: error.message }]);
  }
}

function known(names: readonly string[]): string {
  return [...new Set(names)].toSorted().join(', ');
}
