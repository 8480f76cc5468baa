/** The reply to a start and to a dry run: the predecessor's UPPERCASE parameters, `job_id` and `result`. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Config } from '../config.ts';
import type { JobRow, Submitted } from '../db/submit.ts';
import { type Holder, heldBy } from '../domain/holder.ts';
import type { JobRequest } from '../domain/job.ts';
import { masked } from './mask.ts';
import { Problem } from './problem.ts';
import { DRY_RUN, renderedStepSchema, renderSteps } from './rendered-steps.ts';

const parameters = {
  ACTION: z.string(),
  ACTION_NAME: z.string(),
  ENV: z.string(),
  IS_TAG: z.string(),
  OPTIONS: z.string(),
  TARGET: z.string(),
  MAM_MAIN_QUERY: z.string().optional(),
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
export const DEDUPLICATED = { ...STARTED, deduplicated: true };

export const startedSchema = z
  .object({ ...parameters, job_id: z.int(), result: z.literal('starting'), deduplicated: z.boolean() })
  .openapi('Started', { example: STARTED });

export const dryRunSchema = z
  .object({
    ...parameters,
    job_id: z.literal('dryrun'),
    /** What the runner would make of each step. */
    result: z.array(renderedStepSchema),
    deduplicated: z.literal(false),
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

/** What the runner itself would render for each step. */
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

/** 202 for a new job, 200 for one that was asked for already. @throws Problem 409, 422 */
export function startAnswer(c: Context, submitted: Submitted, request: JobRequest): Response {
  const job = accepted(submitted);
  const deduplicated = submitted.kind === 'deduplicated';
  const answer: z.infer<typeof startedSchema> = {
    ...upperCase(request, job.id),
    job_id: job.id,
    result: 'starting',
    deduplicated,
  };
  return c.json(answer, deduplicated ? 200 : 202, { location: `/jobs/${job.id}` });
}

/** The job that a submission led to. @throws Problem 409 naming the holder, 422 for a reused Idempotency-Key */
export function accepted(submitted: Submitted): JobRow {
  if (submitted.kind === 'key_reused') throw keyReused();
  if (submitted.kind === 'busy') throw busy(submitted.holder);
  return submitted.job;
}

export function keyReused(): Problem {
  return new Problem(422, 'idempotency_key_reused', 'this Idempotency-Key was used for another request', {
    members: { errors: [{ field: 'Idempotency-Key', message: 'was used for another request' }] },
  });
}

function busy(holder: Holder): Problem {
  const { id, action_name: action, status } = holder;
  return new Problem(409, 'busy', `${heldBy(holder)}; wait for it or cancel it`, {
    headers: { location: `/jobs/${id}` },
    members: { holder: { id, action, status } },
  });
}

/** What a submission may be refused for, as the document shows it. */
export const SUBMIT_REFUSALS = [
  busy({ id: 7, env: 'qas', target: 'avo', action_name: 'sync', status: 'running' }),
  keyReused(),
];
