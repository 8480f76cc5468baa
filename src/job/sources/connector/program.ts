/** Runs commands of a connector, and passes its words on to the log. */
import { JobError } from '../../job-error.ts';
import type { Line } from '../lines.ts';
import { type ChildEnd, type Command, runChild } from './child.ts';
import { type ConnectorLog, createConnectorLog } from './connector-log.ts';
import type { ConnectorProgram } from './connector-settings.ts';
import { createMask } from './secrets.ts';

export type Program = {
  /** As it appears in errors, without arguments. */
  readonly name: string;
  readonly log: ConnectorLog;
  /** @param verb as it appears in errors @param argv behind the program @throws JobError */
  readonly run: (
    verb: string,
    command: Command,
    onOutput: (lines: readonly Line[]) => void | Promise<void>,
  ) => Promise<ChildEnd>;
  /** Runs a command beside others: with words of its own, and until `stop` at most. @throws what `work` throws */
  readonly aside: <T>(stop: AbortSignal, work: (program: Program) => Promise<T>) => Promise<T>;
  /** An error with the reason that the connector gave. */
  readonly failed: (code: 'failed' | 'notConfigured', what: string) => JobError;
};

export type ProgramOptions = {
  readonly settings: ConnectorProgram;
  readonly stop: AbortSignal;
  readonly writeLog: (line: string) => void;
};

/** Exit codes of a shell that cannot start a program. */
const NOT_STARTED: Readonly<Record<number, string>> = {
  126: 'cannot be run; give its user the right to execute it',
  127: 'cannot be found; put it into the image of the job, and name it by its absolute path in CONNECTOR',
};

export function createProgram(options: ProgramOptions): Program {
  const { settings, stop, writeLog } = options;
  const log = createConnectorLog(writeLog, createMask(settings.config));
  const [program = ''] = settings.command;
  const name = program.slice(program.lastIndexOf('/') + 1);

  return {
    name,
    log,
    async aside(sooner, work) {
      const own = createProgram({ ...options, stop: AbortSignal.any([stop, sooner]) });
      try {
        return await work(own);
      } finally {
        own.log.end();
      }
    },
    async run(verb, { files, argv }, onOutput) {
      const end = await runChild(
        { files, argv: (at) => [...settings.command, ...argv(at)] },
        {
          silenceMs: settings.silenceMs,
          stop,
          onOutput,
          onError: (lines) => {
            for (const line of lines) log.line(typeof line === 'string' ? line : line.why);
          },
        },
      );
      const why = NOT_STARTED[end.code];
      if (why !== undefined)
        throw new JobError(
          'notConfigured',
          `${name} ${verb} ended with exit code ${end.code}: ${program} ${why}`,
        );
      return end;
    },
    failed(code, what) {
      const words = log.lastWords();
      return new JobError(code, words === null ? what : `${what}: ${words}`);
    },
  };
}
