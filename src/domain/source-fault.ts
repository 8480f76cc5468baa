/**
 * What was at fault with a source, in one word at the end of what the program says: how whoever reads the diagnosis
 * later tells a name that nobody knows from a server that is silent. Pure; the only place that knows the form.
 */

/** Words of soukosync, which had them from Erlang, and ours for what it could not tell. */
export const SOURCE_FAULTS = [
  'timeout',
  'nxdomain',
  'econnrefused',
  'unreachable',
  'closed',
  'tls',
  'unauthorized',
  'rate_limited',
  'http_error',
  'bad_answer',
] as const;
export type SourceFault = (typeof SOURCE_FAULTS)[number];

/** The words of a message, and the fault after them. */
export function withFault(words: string, fault: SourceFault): string {
  return `${words} [${fault}]`;
}

/** The fault at the end of a message; undefined where it is not about a source, or of a program that names none. */
export function faultIn(message: string): SourceFault | undefined {
  const word = /\[([a-z_]+)\]\s*$/.exec(message)?.[1];
  return SOURCE_FAULTS.find((fault) => fault === word);
}
