/** Plans the job of one item of a batch, or says why that item alone is refused. */
import { z } from '@hono/zod-openapi';
import type { JobParams, ParamsFile } from '../../job-params/load.ts';
import type { PlannedJob } from '../../job-params/plan-job.ts';
import type { ApiDeps } from '../context.ts';
import { text } from '../http/fields.ts';
import type { Fault } from '../http/problem.ts';
import { Problem } from '../http/problem.ts';
import { faultsOf } from '../http/route.ts';
import { planDeclaredJob, unknownName } from './start-request.ts';

/** Further fields are the action's own parameters. */
const itemSchema = z.looseObject({
  operation: text(40, 1),
  target: text(100, 1),
  env: text(40, 1).optional(),
});

/** @returns the job, or the reason of its refusal */
export function planBatchItem(deps: ApiDeps, item: unknown): PlannedJob | { readonly refused: string } {
  try {
    const parsed = itemSchema.safeParse(item, { reportInput: true });
    if (!parsed.success) return { refused: parsed.error.issues.map(messageOf).join('; ') };
    const { operation, target, env, ...given } = parsed.data;
    return planDeclaredJob(deps, findDeclaring(deps.params, { operation, target, env }), given);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const errors = error.extras.members?.['errors'] as readonly Fault[] | undefined;
    return {
      refused: errors?.map(({ field, message }) => faultText(field, message)).join('; ') ?? error.message,
    };
  }
}

function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.path.length === 0) return 'the item must be an object with operation and target';
  return faultsOf(issue)
    .map(({ field, message }) => faultText(field, issue.input === undefined ? 'is missing' : message))
    .join('; ');
}

/** Keeps the words `Missing operation`, which clients of the predecessor's batches know. */
function faultText(field: string, message: string): string {
  return message === 'is missing' ? `Missing ${field}` : `${field}: ${message}`;
}

/** The file that declares the operation; without an env, in the only environment that does. @throws Problem */
function findDeclaring(
  params: JobParams,
  of: { operation: string; target: string; env: string | undefined },
): ParamsFile {
  const { operation, target } = of;
  const known = [...new Set(params.files.map(({ env }) => env))];
  if (of.env !== undefined && !known.includes(of.env)) throw unknownName('env', of.env, '', known);
  const envs = of.env === undefined ? known : [of.env];
  const where = of.env === undefined ? '' : ` in env '${of.env}'`;
  const files = envs.flatMap((env) => params.filesOf({ env, target }));
  if (files.length === 0)
    throw unknownName(
      'target',
      target,
      where,
      params.files
        .filter(({ env }) => envs.includes(env))
        .map(({ name, targetPattern }) => (targetPattern === null ? name : `/${targetPattern.text}/`)),
    );
  const fitting = files.filter((file) => file.parameters.action_name === operation);
  const [file] = fitting;
  if (!file)
    throw unknownName(
      'operation',
      operation,
      ` of target '${target}'${where}`,
      files.map(({ parameters }) => parameters.action_name),
    );
  const choice = [...new Set(fitting.map(({ env }) => env))];
  if (choice.length > 1)
    throw new Problem(
      422,
      'env_needed',
      `env: must be given, since ${choice.toSorted().join(' and ')} declare it`,
    );
  return file;
}
