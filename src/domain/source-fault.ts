/**
 * Names what was wrong with a source, in one word at the end of a program's message. The diagnosis can then tell an
 * unknown name from a silent server. Pure; no other module knows the format.
 */

/** Words that soukosync took from Erlang, and ours for faults that it could not tell apart. */
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

/** The words of a message, followed by the fault. */
export function withFault(words: string, fault: SourceFault): string {
  return `${words} [${fault}]`;
}

/** The fault at the end of a message; undefined if the message is not about a source, or its program names no faults. */
export function faultIn(message: string): SourceFault | undefined {
  const word = /\[([a-z_]+)\]\s*$/.exec(message)?.[1];
  return SOURCE_FAULTS.find((fault) => fault === word);
}
