/** Takes credentials out of texts of programs: before they are stored, before they are shown. Pure. */

/** A program's token (src/service-token.ts): its id is no secret. */
const SERVICE_TOKEN = /\b(syn_[0-9a-f]{16}_)[A-Za-z0-9_-]{43}/g;

/** Stands where a secret was. */
export const FILTERED = '<FILTERED>';

/**
 * `user:password@` of every URL (to the last `@`: passwords contain any sign), the usual secret query fields, and tokens
 * of programs.
 * Word by word, because one pattern for all of it takes quadratic time on a text of slashes.
 */
export function maskCredentials(text: string): string {
  return text
    .replaceAll(/[^\s"']+/g, (word) => {
      const start = word.indexOf('//');
      const end = word.lastIndexOf('@');
      return start >= 0 && end > start ? `${word.slice(0, start)}//${FILTERED}${word.slice(end)}` : word;
    })
    .replaceAll(
      /([?&;](?:password|passwd|pwd|token|secret|api_?key|access_token)=)[^&;\s"']*/gi,
      `$1${FILTERED}`,
    )
    .replaceAll(SERVICE_TOKEN, `$1${FILTERED}`);
}

/** Every text in it, however deep. */
export function maskedWithin<T>(value: T): T;
export function maskedWithin(value: unknown): unknown {
  if (typeof value === 'string') return maskCredentials(value);
  if (Array.isArray(value)) return value.map((inner) => maskedWithin<unknown>(inner));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, maskedWithin<unknown>(inner)]));
}
