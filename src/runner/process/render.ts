/** What a step is as a process: pure, used by the launch and by the dry run alike, so that the dry run cannot lie. */
import type { Key, StepSpec } from '../../domain/job.ts';

export type RenderedProcess = {
  /** The program and its arguments; the first word `node` stands for this very Node. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
};

/**
 * @param input.jobId the number the program is told, or `dryrun`
 * @param input.settingsFile where the program finds the settings of source and sink
 */
export function renderProcess(input: {
  key: Key;
  jobId: number | 'dryrun';
  spec: StepSpec;
  name: string;
  settingsFile: string;
  reportUrl: string;
}): RenderedProcess {
  const { key, spec } = input;
  const program = spec.command ?? ['node', 'src/job/main.ts'];
  return {
    argv: [...program, ...spec.args, '--api_job_id', String(input.jobId)],
    environment: {
      ...spec.environment,
      SYNCRATOR_ENV: key.env,
      SYNCRATOR_TARGET: key.target,
      SYNCRATOR_STEP_NAME: input.name,
      SYNCRATOR_SETTINGS_FILE: input.settingsFile,
      SYNCRATOR_REPORT_URL: input.reportUrl,
    },
  };
}

/** Environment that only a launch adds; the dry run shows the names. */
export const SECRET_ENVIRONMENT = ['SYNCRATOR_REPORT_TOKEN', 'SYNCRATOR_CHECKPOINT'] as const;
