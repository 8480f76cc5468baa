/**
 * Which start may queue behind which job of its key (QUEUE and QUEUE_BEHIND of a params file), and which may take the place of
 * a remembered start. Pure.
 */
import { isBesideSync, STORY } from './action.ts';

/** QUEUE=one of a params file; `behind` null: the default matrix. */
export type QueueRule = { readonly behind: readonly string[] | null };

/** A job by the two names that rules know it by. */
export type Named = { readonly action_name: string; readonly action: string };

/** Each action with the actions whose work it does too. */
const BRINGS: Readonly<Record<string, readonly string[]>> = {
  sync: ['delta', 'delete', 'diff'],
  diff: ['delta', 'delete'],
};

/** True if a job of action `one` does the work of `other` as well. */
function brings(one: string, other: string): boolean {
  return Object.hasOwn(BRINGS, one) && (BRINGS[one] ?? []).includes(other);
}

/**
 * Whether a start may wait for the end of the job that holds its key. By default it may, except behind a job that does its
 * work too, and behind one that goes back or repairs: a sync right after a rollback would undo it. A story only reads.
 */
export function mayQueueBehind(asked: Named, holder: Named, { behind }: QueueRule): boolean {
  if (behind !== null) return behind.includes(holder.action_name) || behind.includes(holder.action);
  const repairs = isBesideSync(holder.action) && holder.action !== STORY;
  return !repairs && !brings(holder.action, asked.action);
}

/** The latest start wins, unless the remembered one does its work too. */
export function takesPlaceOf(asked: Named, remembered: Named): boolean {
  return !brings(remembered.action, asked.action);
}
