/** Arguments and environment variables that every runner gives a step's program. Pure. */
import type { StepSpec } from '../domain/job.ts';
import type { StepLabels } from '../domain/names.ts';

/** @param jobId value of --api_job_id */
export function programArguments(spec: StepSpec, jobId: number | 'dryrun'): string[] {
  return [...spec.args, '--api_job_id', String(jobId)];
}

/** The step's own variables and ours; ours take precedence. */
export function programEnvironment(of: {
  labels: Omit<StepLabels, 'specHash'>;
  /** Uid of the first job in a chain of resumed jobs. */
  originUid: string;
  spec: StepSpec;
  name: string;
  reportUrl: string;
  traceparent: string | null;
}): Record<string, string> {
  const { labels } = of;
  return {
    ...of.spec.environment,
    SYNCRATOR_ENV: labels.env,
    SYNCRATOR_TARGET: labels.target,
    SYNCRATOR_INSTALLATION: labels.installation,
    SYNCRATOR_JOB_UID: labels.jobUid,
    SYNCRATOR_ORIGIN_UID: of.originUid,
    SYNCRATOR_STEP: String(labels.step),
    SYNCRATOR_ATTEMPT: String(labels.attempt),
    SYNCRATOR_STEP_NAME: of.name,
    SYNCRATOR_REPORT_URL: of.reportUrl,
    // The variable that tracing libraries read.
    ...(of.traceparent === null ? {} : { TRACEPARENT: of.traceparent }),
  };
}

/** Variables whose values only a launch knows. */
export const SECRET_ENVIRONMENT = ['SYNCRATOR_REPORT_TOKEN', 'SYNCRATOR_CHECKPOINT'] as const;

type Secret = (typeof SECRET_ENVIRONMENT)[number];

/** Omits the variable of a missing checkpoint. */
export function secretEnvironment(of: {
  reportToken: string;
  checkpoint: string | undefined;
}): Partial<Record<Secret, string>> {
  return {
    SYNCRATOR_REPORT_TOKEN: of.reportToken,
    ...(of.checkpoint === undefined ? {} : { SYNCRATOR_CHECKPOINT: of.checkpoint }),
  };
}
