/** Masks credentials in texts that may be null or undefined, as most texts of an answer may be. */
import { maskCredentials } from '../../domain/mask.ts';

/** Masks credentials in a text; returns null and undefined unchanged. */
export function masked(text: string): string;
export function masked(text: string | null): string | null;
export function masked(text: string | undefined): string | undefined;
export function masked(text: string | null | undefined): string | null | undefined;
export function masked(text: string | null | undefined): string | null | undefined {
  return typeof text === 'string' ? maskCredentials(text) : text;
}
