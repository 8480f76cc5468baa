/** From a request's words to a job that can be submitted, by what job_params declares. Refusals name the unknown part. */
import type { Config } from '../config.ts';
import type { JobParameters, JobRequest, Key } from '../domain/job.ts';
import { FILTERED } from '../domain/mask.ts';
import { planSteps, STEP_DEFAULTS } from '../domain/plan.ts';
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
  const ofTarget = inEnv.filter((f) => f.name === of.name);
  if (ofTarget.length === 0)
    throw unknownName(
      'target',
      of.name,
      ` in env '${of.env}'`,
      inEnv.map((f) => f.name),
    );
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

/** A declared job as its file has it. */
export function requestOfFile(deps: Deps, file: ParamsFile): JobRequest {
  return planned(deps, file, file.parameters, file);
}

/** Rollback is no file of its own: its specification is the sync's. @throws Problem 404 when there is none */
export function rollbackRequest(deps: Deps, of: { env: string; name: string }): JobRequest {
  const file = findFile(deps.params, { ...of, action: 'sync' });
  return planned(deps, file, { ...file.parameters, action: 'rollback', action_name: 'rollback' }, file);
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
  if (!params.declares(body))
    throw bodyProblem([
      {
        field: 'target',
        message: `'${body.target}' is not declared in env '${body.env}'; known: ${known(inEnv.map((f) => f.name))}`,
      },
    ]);
  const actions = [...OWN_ACTIONS, ...params.files.map((f) => f.parameters.action)];
  if (!actions.includes(body.action))
    throw bodyProblem([
      { field: 'action', message: `'${body.action}' is unknown; known: ${known(actions)}` },
    ]);
  const byName = inEnv.filter((f) => f.name === body.target);
  const files = byName.length > 0 ? byName : inEnv.filter((f) => f.target === body.target);
  const called = (name: string) => files.find((f) => f.parameters.action_name === name);
  const file = called(body.action_name) ?? called(body.action) ?? called('sync');
  const parameters: JobParameters = {
    action_name: body.action_name,
    action: body.action,
    is_tag: body.is_tag,
    options: body.options,
    mam_main_query: body.mam_main_query ?? null,
  };
  return planned(deps, { env: body.env, target: files[0]?.target ?? body.target }, parameters, file);
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

function planned(deps: Deps, key: Key, parameters: JobParameters, file: ParamsFile | undefined): JobRequest {
  const plan = planSteps(parameters, file?.defaults ?? STEP_DEFAULTS, deps.config.image);
  if ('error' in plan) throw bodyProblem([{ field: 'options', message: plan.error }]);
  return {
    env: key.env,
    target: key.target,
    parameters,
    runner: file?.runner === 'external' ? 'external' : deps.config.runner,
    steps: plan.steps,
  };
}

function known(names: readonly string[]): string {
  return [...new Set(names)].toSorted().join(', ');
}
