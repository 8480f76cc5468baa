/** Takes credentials out of whatever is shown: logs, reports, errors. */

/** Replaces `user:password@` of every URL in a text. Greedy up to the last `@`, since passwords contain any sign. */
export function maskCredentials(text: string): string {
  return text.replaceAll(/\/\/[^\s"']*@/g, '//<FILTERED>@');
}

/** A URL as it may be shown: credentials masked; the query, where tokens travel, left out. */
export function shownUrl(url: string): string {
  return maskCredentials(url).replace(/[?#].*$/s, '');
}
