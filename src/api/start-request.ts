/** From a request's words to a job that can be submitted, by what job_params declares. Refusals name the unknown part. */
import type { Config } from '../config.ts';
import { type Checked, checkActionParameters } from '../action-parameters.ts';
import { planJob } from '../declared-job.ts';
import type { ActionParameters, JobParameters, JobRequest, Key } from '../domain/job.ts';
import { FILTERED } from '../domain/mask.ts';
import type { JobParams, ParamsFile } from '../job-params.ts';
import { nearest } from '../domain/near.ts';
import { bodyProblem, Problem } from './problem.ts';

/** Actions of ours that anybody may ask of a declared target. */
const OWN_ACTIONS = ['sync', 'delta', 'delete', 'diff', 'rollback'];

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

/** 404 naming what is known. */
export function unknownName(what: string, value: string, where: string, names: readonly string[]): Problem {
  const near = nearest(value, names);
  const meant = near.length > 0 ? `; did you mean ${near.join(' or ')}?` : '';
  return new Problem(
    404,
    `unknown_${what}`,
    `unknown ${what} '${value.slice(0, 80)}'${where}; known: ${known(names) || 'none'}${meant}`,
  );
}

/** As it may be asked for. */
function nameOf({ name, targetPattern }: ParamsFile): string {
  return targetPattern === null ? name : `/${targetPattern.text}/`;
}

/**
 * A declared job as its file has it.
 * @param given what the request says beside target and action
 * @throws Problem 422 naming what is missing or unknown
 */
export function requestOfFile(
  deps: Deps,
  file: ParamsFile,
  given: Readonly<Record<string, unknown>> = {},
): JobRequest {
  const checked = checkActionParameters(file.actionParameters, file.target, given);
  if ('faults' in checked) throw needsParameters(file.parameters.action_name, checked.faults);
  return requestOf(deps, file, file.parameters, file, checked.parameters);
}

type Faults = Extract<Checked, { faults: unknown }>['faults'];

/** Only POST /jobs takes them. */
export function needsParameters(action: string, faults: Faults): Problem {
  const detail = faults.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return new Problem(422, 'needs_parameters', `${action}: ${detail}; ask for it with POST /jobs`, {
    members: { errors: faults },
  });
}

/** A declared job about one item alone. */
export function requestOfItem(deps: Deps, file: ParamsFile, item: string): JobRequest {
  const options = `${file.parameters.options} --item ${item}`.trim();
  return requestOf(deps, file, { ...file.parameters, options }, file);
}

/** Rollback is no file of its own: its specification is the sync's. @throws Problem 404 when there is none */
export function rollbackRequest(deps: Deps, of: { env: string; name: string }): JobRequest {
  const file = findFile(deps.params, { ...of, action: 'sync' });
  return requestOf(deps, file, { ...file.parameters, action: 'rollback', action_name: 'rollback' }, file);
}

/** What POST /run asks for. @throws Problem 422 naming the field that is not declared */
export function requestOfBody(
  deps: Deps,
  body: { target: string; env: string } & Omit<JobParameters, 'mam_main_query'> & {
      mam_main_query?: string | undefined;
    },
): JobRequest {
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
  const actions = [...OWN_ACTIONS, ...params.files.map((f) => f.parameters.action)];
  if (!actions.includes(body.action))
    throw bodyProblem([
      { field: 'action', message: `'${body.action}' is unknown; known: ${known(actions)}` },
    ]);
  const called = (name: string) => files.find((f) => f.parameters.action_name === name);
  const file = called(body.action_name) ?? called(body.action) ?? called('sync');
  if (file === undefined && files.every((f) => f.runner === 'external'))
    // Its executor does what is declared; a pod of ours would do the same target another way.
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
  return requestOf(deps, { env: body.env, target: files[0]?.target ?? body.target }, parameters, file);
}

/** What is shown in place of a secret is not what ran: it would be given to the program as it stands. */
function refuseFiltered(
  body: Pick<JobParameters, 'options'> & { mam_main_query?: string | undefined },
): void {
  const faults = (['options', 'mam_main_query'] as const)
    .filter((field) => body[field]?.includes(FILTERED))
    .map((field) => ({ field, message: `holds ${FILTERED}: write the secret that it stands for` }));
  if (faults.length > 0) throw bodyProblem(faults);
}

function requestOf(
  deps: Deps,
  key: Key,
  parameters: JobParameters,
  file: ParamsFile | undefined,
  given?: ActionParameters,
): JobRequest {
  const planned = planJob(deps.config, key, parameters, file, given);
  if ('error' in planned) throw bodyProblem([{ field: 'options', message: planned.error }]);
  return planned;
}

function known(names: readonly string[]): string {
  return [...new Set(names)].toSorted().join(', ');
}
