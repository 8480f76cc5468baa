/** What a step is as a process: pure, used by the launch and by the dry run alike, so that the dry run cannot lie. */
import type { Key, StepSpec } from '../../domain/job.ts';
import { programArguments, programEnvironment } from '../program.ts';
import { SYNC_PROGRAM } from './own-programs.ts';

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
  traceparent: string | null;
}): RenderedProcess {
  const program = input.spec.command ?? ['node', SYNC_PROGRAM];
  return {
    argv: [...program, ...programArguments(input.spec, input.jobId)],
    environment: { ...programEnvironment(input), SYNCRATOR_SETTINGS_FILE: input.settingsFile },
  };
}

/** Environment that only a launch adds; the dry run shows the names. */
export { SECRET_ENVIRONMENT } from '../program.ts';
