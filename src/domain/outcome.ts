/** How a step ended and why, in words an operator can act on. Pure values, shared by every runner. */
import { maskCredentials } from './mask.ts';

export type Diagnosis = {
  /** Stable word: completed, exit_code, oom, delete_guard, deadline, start_timeout, disrupted … */
  readonly code: string;
  /** One sentence about what happened. */
  readonly summary: string;
  /** The evidence: exit code, reason, the cluster's or the program's own words; at most 4 KiB. */
  readonly detail: string;
  /** Advice to the operator. */
  readonly what_to_do: string;
};

export type StepOutcome =
  | { readonly kind: 'completed' }
  | { readonly kind: 'failed'; readonly diagnosis: Diagnosis }
  /** A cancel was requested while the step was launched or watched. */
  | { readonly kind: 'cancelled' };

/** How a whole job ended, as the workflow passes it to the record: the outcome of the deciding step. */
export type JobOutcome = StepOutcome;

/** Errors and details are cut to this many characters before they are stored. */
const DETAIL_LIMIT = 4096;

/** A text that Postgres can store: no NUL, no half of a character, no more than the limit; and no credentials. */
export function cut(text: string): string {
  // Masks before it cuts, since masking would not recognise half a credential. Reads no more of an endless text
  // than needed.
  const some = text.slice(0, 16 * DETAIL_LIMIT).replaceAll('\u0000', '\u2400');
  return maskCredentials(some).slice(0, DETAIL_LIMIT).toWellFormed();
}
