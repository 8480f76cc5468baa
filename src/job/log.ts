/** Plain lines on standard output, for a person reading `kubectl logs`: time, then words; secrets masked. */

import { maskCredentials } from '../domain/mask.ts';

export type Log = { info(line: string): void; debug(line: string): void };

/** @param debug `--debug`: whether the finer lines are written too */
export function createLog(
  debug: boolean,
  write: (line: string) => void = (line) => void process.stdout.write(line),
): Log {
  const put = (line: string): void =>
    write(`${new Date().toISOString()} ${maskCredentials(line).replaceAll('\n', ' ')}\n`);
  return { info: put, debug: debug ? put : () => {} };
}
