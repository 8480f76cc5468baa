/** Masks URLs for logs and reports. */
import { maskCredentials } from '../domain/mask.ts';

/** The URL with credentials masked and without query and fragment, which may hold tokens. */
export function shownUrl(url: string): string {
  return maskCredentials(url).replace(/[?#].*$/s, '');
}
