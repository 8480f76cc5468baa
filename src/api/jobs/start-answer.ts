/** Answers a start or a dry run: the predecessor's UPPERCASE parameters, `job_id` and `result`. */
import { z } from '@hono/zod-openapi';
import type { Context, TypedResponse } from 'hono';
import type { Config } from '../../config/config.ts';
import { isRefused, type RefusedSubmission, type Submitted } from '../../db/jobs/submit.ts';
import type { JobRow } from '../../db/schema.ts';
import { type Holder, describeHolder } from '../../domain/job.ts';
import type { JobRequest } from '../../domain/job.ts';
import { masked } from '../http/mask.ts';
import { Problem } from '../http/problem.ts';
import { describeNotPromoted, type NotPromoted } from '../../domain/promotion.ts';
import { queuedSchema } from './next-start.ts';
import { DRY_RUN, renderedStepSchema, renderSteps } from './dry-run.ts';

const parameters = {
  ACTION: z.string().describe('The action that the job performs.'),
  ACTION_NAME: z.string().describe('The name by which the action was requested.'),
  ENV: z.string().describe('The environment.'),
  IS_TAG: z.string().describe('Tag of the image.'),
  OPTIONS: z.string().describe('Options of the program, credentials masked.'),
  TARGET: z.string().describe('The target.'),
  MAM_MAIN_QUERY: z.string().optional().describe('MAM_MAIN_QUERY, if set.'),
};
const shown = {
  ACTION: 'sync',
  ACTION_NAME: 'sync',
  ENV: 'qas',
  IS_TAG: 'latest',
  TARGET: 'avo',
};

const STARTED = {
  ...shown,
  OPTIONS: '-n 1000 -c 1 --api_job_id 7',
  job_id: 7,
  result: 'starting' as const,
  deduplicated: false,
};
const DEDUPLICATED = { ...STARTED, deduplicated: true };

export const startedSchema = z
  .object({
    ...parameters,
    job_id: z.int().describe('The id of the job.'),
    result: z.literal('starting').describe('Always `starting`.'),
    deduplicated: z.boolean().describe('True if a job with the same parameters was active already.'),
  })
  .openapi('Started', { example: STARTED });

/** The answers of every route that starts a job. */
export const STARTED_ANSWERS = {
  200: {
    description: 'A job with the same parameters is active already.',
    schema: startedSchema,
    example: DEDUPLICATED,
  },
  202: { description: 'A new job.', schema: startedSchema },
};

/** The same for a start that may be remembered while the target is busy. */
export const START_ANSWERS = {
  ...STARTED_ANSWERS,
  202: {
    description: 'A new job; or, with QUEUE=one and a busy target, a start that is remembered.',
    schema: z.union([startedSchema, queuedSchema]),
    example: STARTED,
  },
};

export const dryRunSchema = z
  .object({
    ...parameters,
    job_id: z.literal('dryrun').describe('Always `dryrun`.'),
    result: z.array(renderedStepSchema).describe('What the runner would start for each step.'),
    deduplicated: z.literal(false).describe('Always false.'),
  })
  .openapi('DryRun', {
    example: {
      ...shown,
      OPTIONS: '-n 1000 -c 1 --api_job_id dryrun',
      job_id: 'dryrun',
      result: [
        {
          step: 0,
          action: 'sync',
          argv: ['node', 'src/job/main.ts', 'sync', '-n', '1000', '-c', '1', '--api_job_id', 'dryrun'],
          environment: { SYNCRATOR_TARGET: 'avo', SYNCRATOR_REPORT_TOKEN: '<FILTERED>' },
        },
      ],
      deduplicated: false,
    },
  });

function upperCase(request: JobRequest, jobId: number | 'dryrun') {
  const { action, action_name, is_tag, options, mam_main_query } = request.parameters;
  return {
    ACTION: action,
    ACTION_NAME: action_name,
    ENV: request.env,
    IS_TAG: is_tag,
    OPTIONS: `${masked(options)} --api_job_id ${jobId}`,
    TARGET: request.target,
    ...(mam_main_query === null ? {} : { MAM_MAIN_QUERY: masked(mam_main_query) }),
  };
}

/** The answer of a dry run: each step as the runner renders it. */
export function dryRunAnswer(config: Config, request: JobRequest): DryRunJson {
  return {
    ...upperCase(request, 'dryrun'),
    job_id: 'dryrun',
    result: renderSteps(config, { ...request, ...DRY_RUN }),
    deduplicated: false,
  };
}

export type DryRunJson = z.infer<typeof dryRunSchema>;
export type StartedJson = z.infer<typeof startedSchema>;

type Answered<Status extends 200 | 202> = Response & TypedResponse<StartedJson, Status, 'json'>;

/** 202 for a new job, 200 for one that was asked for already. @throws Problem 409, 422 */
export function startAnswer(
  c: Context,
  submitted: Exclude<Submitted, { kind: 'deduplicated' }>,
  request: JobRequest,
): Answered<202>;
export function startAnswer(
  c: Context,
  submitted: Submitted,
  request: JobRequest,
): Answered<200> | Answered<202>;
export function startAnswer(
  c: Context,
  submitted: Submitted,
  request: JobRequest,
): Answered<200> | Answered<202> {
  const job = accepted(submitted);
  const deduplicated = submitted.kind === 'deduplicated';
  const answer: z.infer<typeof startedSchema> = {
    ...upperCase(request, job.id),
    job_id: job.id,
    result: 'starting',
    deduplicated,
  };
  const headers = { location: `/jobs/${job.id}` };
  return deduplicated ? c.json(answer, 200, headers) : c.json(answer, 202, headers);
}

/**
 * The job that a submission led to, which may not be remembered.
 * @throws Problem 409 naming the holder or what is missing, 422 for a reused Idempotency-Key
 */
export function accepted(submitted: Submitted): JobRow {
  if (isRefused(submitted)) throw submitRefusal(submitted);
  if (submitted.kind === 'queued') throw new Error('this start is not one that may be remembered');
  return submitted.job;
}

/** Why a submission stored nothing. */
export function submitRefusal(submitted: RefusedSubmission): Problem {
  if (submitted.kind === 'busy') return busy(submitted.holder);
  return submitted.kind === 'not_promoted' ? notPromoted(submitted.missing) : keyReused();
}

function notPromoted(missing: NotPromoted): Problem {
  const { action, target, from } = missing;
  return new Problem(
    409,
    'not_promoted',
    `${describeNotPromoted(missing)}; run ${action} of '${target}' in env '${from}' first, or let an admin start it with ?unpromoted=true (--unpromoted)`,
  );
}

export function keyReused(): Problem {
  return new Problem(422, 'idempotency_key_reused', 'this Idempotency-Key was used for another request', {
    members: { errors: [{ field: 'Idempotency-Key', message: 'was used for another request' }] },
  });
}

function busy(holder: Holder): Problem {
  const { id, action_name: action, status } = holder;
  return new Problem(409, 'busy', `${describeHolder(holder)}; wait for it or cancel it`, {
    headers: { location: `/jobs/${id}` },
    members: { holder: { id, action, status } },
  });
}

/** The refusals of every start, for the OpenAPI document. */
export const SUBMIT_REFUSALS = [
  busy({ id: 7, env: 'qas', target: 'avo', action_name: 'sync', status: 'running' }),
  notPromoted({
    env: 'prd',
    target: 'avo',
    action: 'sync',
    from: 'qas',
    withinSeconds: 7 * 86_400,
    other: null,
  }),
  keyReused(),
];
