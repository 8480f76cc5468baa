/** Composes the last line of a process that ends with an error: the reason and the fix. Stacks go to the log. */
import { inspect } from 'node:util';
import { lastingFault } from './db/connect.ts';
import type { Log } from './log.ts';

/** Logs the error, at debug level if its message names the fix. @returns the message */
export function endingWords(log: Log, error: unknown): string {
  const words = lastingFault(error);
  if (words === undefined) log.error({ err: error }, 'fatal error');
  else log.debug({ err: error }, words);
  return words ?? reasonsOf(error);
}

/** The messages of an error and its causes in one line, without repetitions. */
export function reasonsOf(error: unknown): string {
  const told: string[] = [];
  for (let at: unknown = error, depth = 0; at !== undefined && depth < 5; depth++) {
    const text = (at instanceof Error ? at.message : inspect(at)).replaceAll(/\s*\n\s*/g, ' ');
    if (text !== '' && !told.some((one) => one.includes(text))) told.push(text);
    at = at instanceof AggregateError ? at.errors.at(-1) : at instanceof Error ? at.cause : undefined;
  }
  return told.join(': ');
}
