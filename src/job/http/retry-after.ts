/** Parses the `Retry-After` header (RFC 9110, 10.2.3). */

/** Milliseconds from now, from seconds or an HTTP date; null if the header is absent or malformed. */
export function retryAfter(header: string | null, now: number = Date.now()): number | null {
  if (header === null) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
