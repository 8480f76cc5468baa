/** Credentials taken out of what may be absent. */
import { maskCredentials } from '../domain/mask.ts';

/** maskCredentials where there is a text; null and undefined stay what they are. */
export function masked(text: string): string;
export function masked(text: string | null): string | null;
export function masked(text: string | undefined): string | undefined;
export function masked(text: string | null | undefined): string | null | undefined;
export function masked(text: string | null | undefined): string | null | undefined {
  return typeof text === 'string' ? maskCredentials(text) : text;
}
