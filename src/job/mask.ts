/** How the program shows a URL. */
import { maskCredentials } from '../domain/mask.ts';

/** A URL as it may be shown: credentials masked; the query, where tokens travel, left out. */
export function shownUrl(url: string): string {
  return maskCredentials(url).replace(/[?#].*$/s, '');
}
