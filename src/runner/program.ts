/** What a step's program is told, whatever runs it: its last arguments and the variables that are ours. Pure. */
import type { Key, StepSpec } from '../domain/job.ts';

/** @param jobId the number the program is told, or `dryrun` */
export function programArguments(spec: StepSpec, jobId: number | 'dryrun'): string[] {
  return [...spec.args, '--api_job_id', String(jobId)];
}

/** The step's own variables and ours, which win. */
export function programEnvironment(of: {
  key: Key;
  spec: StepSpec;
  name: string;
  reportUrl: string;
  traceparent: string | null;
}): Record<string, string> {
  return {
    ...of.spec.environment,
    SYNCRATOR_ENV: of.key.env,
    SYNCRATOR_TARGET: of.key.target,
    SYNCRATOR_STEP_NAME: of.name,
    SYNCRATOR_REPORT_URL: of.reportUrl,
    // The name that tracing libraries look for.
    ...(of.traceparent === null ? {} : { TRACEPARENT: of.traceparent }),
  };
}

/** Variables that only a launch knows the values of. */
export const SECRET_ENVIRONMENT = ['SYNCRATOR_REPORT_TOKEN', 'SYNCRATOR_CHECKPOINT'] as const;

type Secret = (typeof SECRET_ENVIRONMENT)[number];

/** Without a checkpoint, its variable is left out. */
export function secretEnvironment(of: {
  reportToken: string;
  checkpoint: string | undefined;
}): Partial<Record<Secret, string>> {
  return {
    SYNCRATOR_REPORT_TOKEN: of.reportToken,
    ...(of.checkpoint === undefined ? {} : { SYNCRATOR_CHECKPOINT: of.checkpoint }),
  };
}
