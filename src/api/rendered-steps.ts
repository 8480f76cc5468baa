/** What the runner itself makes of a job's steps: for a dry run, and for a job from what is frozen in its row. */
import path from 'node:path';
import { z } from '@hono/zod-openapi';
import type { Config } from '../config.ts';
import type { Key, RunnerKind, StepSpec } from '../domain/job.ts';
import { FILTERED, maskedWithin } from '../domain/mask.ts';
import { stepName } from '../domain/names.ts';
import { renderJob } from '../runner/kubernetes/render.ts';
import { renderProcess, SECRET_ENVIRONMENT } from '../runner/process/render.ts';

/** A Kubernetes Job's manifest, or a process' arguments and environment. */
export const renderedStepSchema = z
  .object({
    step: z.int(),
    action: z.string(),
    argv: z.array(z.string()).optional(),
    environment: z.record(z.string(), z.string()).optional(),
    manifest: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi('RenderedStep', {
    example: {
      step: 0,
      action: 'sync',
      argv: ['node', 'src/job/main.ts', 'sync', '-n', '1000', '-c', '1', '--api_job_id', '7'],
      environment: { SYNCRATOR_TARGET: 'avo', SYNCRATOR_REPORT_TOKEN: '<FILTERED>' },
    },
  });
export type RenderedStepJson = z.infer<typeof renderedStepSchema>;

/** The job as far as a runner knows it. */
export type Rendered = Key & {
  readonly runner: RunnerKind;
  readonly steps: readonly StepSpec[];
  readonly jobId: number | 'dryrun';
  readonly uid: string;
  readonly installation: string;
  readonly specHash: string;
  readonly traceparent: string | null;
  /** The attempt of a step that is meant. */
  readonly attemptOf: (step: number) => number;
};

const NO_UID = '00000000-0000-0000-0000-000000000000';

/** What stands for a job that does not exist. */
export const DRY_RUN = {
  jobId: 'dryrun',
  uid: NO_UID,
  installation: NO_UID,
  specHash: '',
  traceparent: `00-${'0'.repeat(32)}-${'0'.repeat(16)}-00`,
  attemptOf: () => 1,
} as const;

/** Without any secret; an external executor has nothing of ours to render. */
export function renderSteps(config: Config, of: Rendered): RenderedStepJson[] {
  const render = { process: asProcess, kubernetes: asManifest, external: undefined }[of.runner];
  if (!render) return [];
  return of.steps.map((spec, step) => ({
    step,
    action: spec.action,
    ...maskedWithin(render(config, of, spec, step)),
  }));
}

function asProcess(config: Config, of: Rendered, spec: StepSpec, step: number) {
  const { argv, environment } = renderProcess({
    key: of,
    jobId: of.jobId,
    spec,
    name: nameOf(of, spec, step),
    settingsFile: path.join(config.dataDir, 'envtarget', `${of.env}-${of.target}.env`),
    reportUrl: reportUrl(config, of),
    traceparent: of.traceparent,
  });
  const secrets = Object.fromEntries(SECRET_ENVIRONMENT.map((secret) => [secret, FILTERED]));
  return { argv: [...argv], environment: { ...environment, ...secrets } };
}

function asManifest(config: Config, of: Rendered, spec: StepSpec, step: number) {
  const manifest = renderJob({
    name: nameOf(of, spec, step),
    labels: {
      installation: of.installation,
      jobId: of.jobId === 'dryrun' ? 0 : of.jobId,
      jobUid: of.uid,
      env: of.env,
      target: of.target,
      action: spec.action,
      step,
      attempt: of.attemptOf(step),
      specHash: of.specHash,
    },
    spec,
    jobId: of.jobId,
    reportUrl: reportUrl(config, of),
    traceparent: of.traceparent,
    reportToken: FILTERED,
    checkpoint: undefined,
    podOverrides: config.kubernetes.podOverrides,
  });
  return { manifest };
}

function nameOf(of: Rendered, { action }: StepSpec, step: number): string {
  return stepName({ uid: of.uid, step, attempt: of.attemptOf(step), action });
}

function reportUrl(config: Config, { jobId }: Rendered): string {
  return `${config.reportBaseUrl}/jobs/${jobId}/report`;
}
