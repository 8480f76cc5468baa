/** Takes credentials out of texts of programs before they are stored, and again before they are shown. */

/** `user:password@` of every URL (greedy: passwords contain any sign), and the usual secret query fields. */
export function maskCredentials(text: string): string {
  return text
    .replaceAll(/\/\/[^\s"']*@/g, '//<FILTERED>@')
    .replaceAll(
      /([?&;](?:password|passwd|pwd|token|secret|api_?key|access_token)=)[^&;\s"']*/gi,
      '$1<FILTERED>',
    );
}

/** The same, for what may be absent. */
export function masked(text: string): string;
export function masked(text: string | null): string | null;
export function masked(text: string | undefined): string | undefined;
export function masked(text: string | null | undefined): string | null | undefined;
export function masked(text: string | null | undefined): string | null | undefined {
  return typeof text === 'string' ? maskCredentials(text) : text;
}
