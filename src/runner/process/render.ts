/** Renders a step as a process. Pure; launch and dry run use this same function. */
import type { StepSpec } from '../../domain/job.ts';
import type { StepLabels } from '../../domain/names.ts';
import { programArguments, programEnvironment } from '../program.ts';
import { SYNC_PROGRAM } from './own-programs.ts';

export type RenderedProcess = {
  /** The program and its arguments; a first word `node` means the running Node. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
};

/**
 * @param input.jobId value of --api_job_id
 * @param input.settingsFile path of the settings of source and sink
 */
export function renderProcess(input: {
  labels: StepLabels;
  originUid: string;
  jobId: number | 'dryrun';
  spec: StepSpec;
  name: string;
  settingsFile: string;
  reportUrl: string;
  traceparent: string | null;
}): RenderedProcess {
  const program = input.spec.command ?? ['node', SYNC_PROGRAM];
  return {
    argv: [...program, ...programArguments(input.spec, input.jobId)],
    environment: { ...programEnvironment(input), SYNCRATOR_SETTINGS_FILE: input.settingsFile },
  };
}

/** Environment variables that only a launch adds; the dry run shows their names. */
export { SECRET_ENVIRONMENT } from '../program.ts';
