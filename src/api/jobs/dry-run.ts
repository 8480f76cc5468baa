/** Renders the steps of a job as its runner does, for dry runs and for the manifest of a job. */
import path from 'node:path';
import { z } from '@hono/zod-openapi';
import type { Config } from '../../config/config.ts';
import type { Key, RunnerKind, StepSpec } from '../../domain/job.ts';
import { FILTERED, maskedWithin } from '../../domain/mask.ts';
import { settingsFile, type StepLabels, stepName } from '../../domain/names.ts';
import { renderJob } from '../../runner/kubernetes/render.ts';
import { renderProcess, SECRET_ENVIRONMENT } from '../../runner/process/render.ts';

/** The manifest of a Kubernetes Job, or the arguments and environment of a process. */
export const renderedStepSchema = z
  .object({
    step: z.int().describe('The step, from 0.'),
    action: z.string().describe('The action of the step.'),
    argv: z.array(z.string()).optional().describe('Arguments of the process; with RUNNER=process.'),
    environment: z
      .record(z.string(), z.string())
      .optional()
      .describe('Environment of the process, secrets masked; with RUNNER=process.'),
    manifest: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('Manifest of the Kubernetes Job; with RUNNER=kubernetes.'),
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

/** The data of a job that a runner needs. */
export type Rendered = Key & {
  readonly runner: RunnerKind;
  readonly steps: readonly StepSpec[];
  readonly jobId: number | 'dryrun';
  readonly uid: string;
  /** The uid of the first job in a chain of resumes. */
  readonly originUid: string;
  readonly installation: string;
  readonly specHash: string;
  readonly traceparent: string | null;
  /** The attempt of a step to render. */
  readonly attemptOf: (step: number) => number;
};

const NO_UID = '00000000-0000-0000-0000-000000000000';

/** Placeholders for a job that does not exist. */
export const DRY_RUN = {
  jobId: 'dryrun',
  uid: NO_UID,
  originUid: NO_UID,
  installation: NO_UID,
  specHash: '',
  traceparent: `00-${'0'.repeat(32)}-${'0'.repeat(16)}-00`,
  attemptOf: () => 1,
} as const;

/** Renders the steps, secrets filtered. Returns none for an external executor, which starts its own program. */
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
    labels: labelsOf(of, spec, step),
    originUid: of.originUid,
    jobId: of.jobId,
    spec,
    name: nameOf(of, spec, step),
    settingsFile: path.join(config.dataDir, settingsFile(of)),
    reportUrl: reportUrl(config, of),
    traceparent: of.traceparent,
  });
  const secrets = Object.fromEntries(SECRET_ENVIRONMENT.map((secret) => [secret, FILTERED]));
  return { argv: [...argv], environment: { ...environment, ...secrets } };
}

function asManifest(config: Config, of: Rendered, spec: StepSpec, step: number) {
  const manifest = renderJob({
    name: nameOf(of, spec, step),
    labels: labelsOf(of, spec, step),
    originUid: of.originUid,
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

function labelsOf(of: Rendered, { action }: StepSpec, step: number): StepLabels {
  return {
    installation: of.installation,
    jobId: of.jobId === 'dryrun' ? 0 : of.jobId,
    jobUid: of.uid,
    env: of.env,
    target: of.target,
    action,
    step,
    attempt: of.attemptOf(step),
    specHash: of.specHash,
  };
}

function nameOf(of: Rendered, { action }: StepSpec, step: number): string {
  return stepName({ uid: of.uid, step, attempt: of.attemptOf(step), action });
}

function reportUrl(config: Config, { jobId }: Rendered): string {
  return `${config.reportBaseUrl}/jobs/${jobId}/report`;
}
