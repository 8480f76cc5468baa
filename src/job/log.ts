/** Plain lines on standard output, for a person reading `kubectl logs`: time, then words; secrets masked. */

import { maskCredentials } from '../domain/mask.ts';
import { traceFields } from '../domain/trace.ts';

export type Log = { info(line: string): void; debug(line: string): void };

/**
 * @param options.debug `--debug`: whether the finer lines are written too
 * @param options.traceparent every line ends with its trace, which the lines of api and worker have too
 */
export function createLog(
  { debug, traceparent }: { debug: boolean; traceparent?: string | undefined },
  write: (line: string) => void = (line) => void process.stdout.write(line),
): Log {
  const { trace_id: id } = traceFields(traceparent);
  const trace = id === undefined ? '' : ` trace_id=${id}`;
  const put = (line: string): void =>
    write(`${new Date().toISOString()} ${maskCredentials(line).replaceAll('\n', ' ')}${trace}\n`);
  return { info: put, debug: debug ? put : () => {} };
}
