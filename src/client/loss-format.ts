/** Describes losses, sets of removals that wait for an answer, the same for terminal and page. Pure. */
import { records } from './data-format.ts';
import type { LossJson, LossRecordJson } from './types.ts';

/** `1,204 removals wait for an answer` */
export function heldWords(held: number | null): string | null {
  if (held === null || held === 0) return null;
  return `${held.toLocaleString('en')} ${held === 1 ? 'removal waits' : 'removals wait'} for an answer`;
}

/** Whether something is left to answer: a set whose records are all kept for now waits for nobody. */
export function needsAnswer({ status, count }: LossJson): boolean {
  return status === 'waiting' && count > 0;
}

/** `1,204 records of cities in dev` */
export function lossWords({ count, target, env }: LossJson): string {
  return `${records(count)} of ${target} in ${env}`;
}

/** `8.2 % of 14,700 live` */
export function shareOf(count: number, live: number): string {
  return `${percentWords(count, live)} of ${live.toLocaleString('en')} live`;
}

/** `8.2 %`; a share that would round to nothing is `< 0.1 %`. */
export function percentWords(count: number, live: number): string {
  const percent = live === 0 ? 0 : (100 * count) / live;
  if (percent > 0 && percent < 0.05) return '< 0.1 %';
  return `${percent.toLocaleString('en', { maximumFractionDigits: 1 })} %`;
}

/** `1 of 2` */
export function approvalWords({ approvals, approvals_needed: needed }: LossJson): string {
  return `${approvals.length} of ${needed}`;
}

/** `1,200 records will be removed from cities in dev; 4 stay` */
export function removalWords({ count, target, env, pinned }: LossJson): string {
  const stay = pinned === 0 ? '' : `; ${pinned.toLocaleString('en')} ${pinned === 1 ? 'stays' : 'stay'}`;
  return `${records(count)} will be removed from ${target} in ${env}${stay}`;
}

/** Whether the next approval is the last one that the set needs. */
export function startsRemoval({ approvals, approvals_needed: needed }: LossJson): boolean {
  return approvals.length + 1 >= needed;
}

/** `30 December`, in the reader's time zone; with the year unless it is this one. */
export function dayOf(time: string, now = new Date()): string {
  const date = new Date(time);
  const year = date.getFullYear() === now.getFullYear() ? {} : ({ year: 'numeric' } as const);
  return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', ...year });
}

/** Why a record has no content here. */
export const NO_CONTENT = 'not stored here: larger than 64 KiB, too deep, or forgotten';

/** The live content on one line. */
export function contentOf({ record }: Pick<LossRecordJson, 'record'>): string {
  return record === null ? `(${NO_CONTENT})` : JSON.stringify(record);
}
