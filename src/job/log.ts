/** Writes plain log lines to standard output for readers of `kubectl logs`: time, then text, credentials masked. */
import { maskCredentials } from '../domain/mask.ts';
import { traceFields } from '../domain/trace.ts';

export type Log = { info(line: string): void; debug(line: string): void };

/**
 * @param options.debug `--debug`: also writes debug lines
 * @param options.traceparent W3C trace context; its trace id ends every line, as in the logs of api and worker
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
