/** The reply to a start and to a dry run: the predecessor's UPPERCASE parameters, `job_id` and `result`. */
import path from 'node:path';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Config } from '../config.ts';
import type { Submitted } from '../db/submit.ts';
import type { JobRequest, StepSpec } from '../domain/job.ts';
import { maskedWithin } from '../domain/mask.ts';
import { stepName } from '../domain/names.ts';
import { renderJob } from '../runner/kubernetes/render.ts';
import { renderProcess, SECRET_ENVIRONMENT } from '../runner/process/render.ts';
import { masked } from './mask.ts';
import { Problem } from './problem.ts';

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

export const startedSchema = z
  .object({ ...parameters, job_id: z.int(), result: z.literal('starting'), deduplicated: z.boolean() })
  .openapi('Started', {
    example: {
      ...shown,
      OPTIONS: '-n 1000 -c 1 --api_job_id 7',
      job_id: 7,
      result: 'starting',
      deduplicated: false,
    },
  });

export const dryRunSchema = z
  .object({
    ...parameters,
    job_id: z.literal('dryrun'),
    /** Per step what its runner would make: a Kubernetes Job's manifest, or a process' arguments and environment. */
    result: z.array(
      z.object({
        step: z.int(),
        action: z.string(),
        argv: z.array(z.string()).optional(),
        environment: z.record(z.string(), z.string()).optional(),
        manifest: z.record(z.string(), z.unknown()).optional(),
      }),
    ),
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

/** What the runner itself would render for each step; an external executor has nothing of ours to render. */
export function dryRunAnswer(config: Config, request: JobRequest): DryRunJson {
  const render = { process: dryProcess, kubernetes: dryManifest, external: undefined }[request.runner];
  const steps = render ? request.steps : [];
  return {
    ...upperCase(request, 'dryrun'),
    job_id: 'dryrun',
    result: steps.map((spec, step) => ({
      step,
      action: spec.action,
      ...maskedWithin(render?.(config, request, { spec, step, name: dryName(spec.action, step) })),
    })),
    deduplicated: false,
  };
}

const NO_UID = '00000000-0000-0000-0000-000000000000';
const FILTERED = '<FILTERED>';

export type DryRunJson = z.infer<typeof dryRunSchema>;
export type StartedJson = z.infer<typeof startedSchema>;
type DryStep = { readonly spec: StepSpec; readonly step: number; readonly name: string };

function dryName(action: string, step: number): string {
  return stepName({ uid: NO_UID, step, attempt: 1, action });
}

function dryProcess(config: Config, request: JobRequest, { spec, name }: DryStep) {
  const { argv, environment } = renderProcess({
    key: request,
    jobId: 'dryrun',
    spec,
    name,
    settingsFile: path.join(config.dataDir, 'envtarget', `${request.env}-${request.target}.env`),
    reportUrl: `${config.reportBaseUrl}/jobs/dryrun/report`,
  });
  const secrets = Object.fromEntries(SECRET_ENVIRONMENT.map((secret) => [secret, FILTERED]));
  return { argv: [...argv], environment: { ...environment, ...secrets } };
}

function dryManifest(config: Config, request: JobRequest, { spec, step, name }: DryStep) {
  const { env, target } = request;
  const manifest = renderJob({
    name,
    labels: {
      installation: NO_UID,
      jobId: 0,
      jobUid: NO_UID,
      env,
      target,
      action: spec.action,
      step,
      attempt: 1,
      specHash: '',
    },
    spec,
    jobId: 'dryrun',
    reportUrl: `${config.reportBaseUrl}/jobs/dryrun/report`,
    reportToken: FILTERED,
    checkpoint: undefined,
    podOverrides: config.kubernetes.podOverrides,
  });
  return { manifest };
}

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
export function accepted(submitted: Submitted) {
  if (submitted.kind === 'key_reused')
    throw new Problem(422, 'idempotency_key_reused', 'this Idempotency-Key was used for another request', {
      members: { errors: [{ field: 'Idempotency-Key', message: 'was used for another request' }] },
    });
  if (submitted.kind === 'busy') {
    const { id, env, target, action_name, status } = submitted.holder;
    throw new Problem(
      409,
      'busy',
      `target '${target}' in env '${env}' is held by job ${id} (${action_name}, ${status}); wait for it or cancel it`,
      { headers: { location: `/jobs/${id}` }, members: { holder: { id, action: action_name, status } } },
    );
  }
  return submitted.job;
}
