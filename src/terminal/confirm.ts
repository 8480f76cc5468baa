/** Asks for the word yes before a command changes what it cannot change back. */
import { createInterface } from 'node:readline/promises';
import { CliFailure, EXIT } from './failure.ts';

/**
 * @param question in one line; ` [y/N] ` is appended
 * @param instead the option of a caller without a terminal: `--yes`
 * @throws CliFailure for any answer but yes, and without a terminal
 */
export async function confirm(question: string, instead: string): Promise<void> {
  if (!process.stdin.isTTY) throw new CliFailure(`no terminal to ask for confirmation: use ${instead}`);
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const gone = new AbortController();
  asking.once('SIGINT', () => gone.abort());
  const answer = await asking.question(`${question} [y/N] `, { signal: gone.signal }).catch(() => undefined);
  asking.close();
  if (answer === undefined) throw new CliFailure('cancelled: nothing was changed', EXIT.interrupted);
  if (!/^y(es)?$/i.test(answer.trim())) throw new CliFailure('cancelled: nothing was changed');
}
