/** One run of the program in this process, with its reports and its output; a run that does not end is stopped. */

import { startFakeReceiver } from '../../job/support/fake-receiver.ts';
import { EXIT } from '../../../src/domain/exit-code.ts';
import type { Report } from '../../../src/domain/report.ts';
import { parseArguments } from '../../../src/job/arguments.ts';
import { runAction } from '../../../src/job/run-action.ts';
import type { ExitName } from './model.ts';

/** How long an outage may last here, instead of a minute. */
const PATIENCE_MS = 700;
const SILENCE_MS = 700;
/** No lie of ours takes longer, however busy the machine. */
const BOUND_MS = 45_000;

export type Ended = {
  readonly exit: ExitName | 'never';
  readonly output: string;
  readonly reports: readonly Report[];
};

export type Runner = {
  run(options: string, environment: Record<string, string>, onLine?: (line: string) => void): Promise<Ended>;
  close(): Promise<void>;
};

export async function makeRunner(): Promise<Runner> {
  const receiver = await startFakeReceiver();
  return {
    async run(options, environment, onLine) {
      const parsed = parseArguments(options.split(' '));
      if (parsed.kind !== 'run') throw new Error(parsed.text);
      receiver.reports.length = 0;
      let output = '';
      const writeLine = (line: string): void => {
        output += line;
        onLine?.(line);
      };
      const stop = new AbortController();
      const bound = Promise.withResolvers<'never'>();
      const timer = setTimeout(() => {
        stop.abort(new Error('the run has no end'));
        bound.resolve('never');
      }, BOUND_MS);
      const code = runAction({
        arguments: parsed.arguments,
        optionsText: options,
        environment: { ...environment, SYNCRATOR_REPORT_URL: receiver.url },
        terminate: stop.signal,
        reportBudgetMs: 2_000,
        patienceMs: PATIENCE_MS,
        silenceMs: SILENCE_MS,
        leastBatch: 1,
        writeLine,
      });
      const first = await Promise.race([code, bound.promise]);
      clearTimeout(timer);
      return { exit: first === 'never' ? first : nameOf(first), output, reports: [...receiver.reports] };
    },
    close: () => receiver.close(),
  };
}

function nameOf(code: number): ExitName {
  const found = Object.entries(EXIT).find(([, of]) => of === code);
  if (!found) throw new Error(`exit code ${code} has no name`);
  return found[0] as ExitName;
}
