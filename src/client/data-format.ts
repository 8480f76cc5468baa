/** Describes a job's effect on the data, past or previewed, the same for terminal and page. Pure. */
import type { JobJson } from './types.ts';

export type RollbackPreviewJson = NonNullable<JobJson['rollback_preview']>;

export const LISTING_WORDS = {
  complete: 'proven complete',
  unproven: 'not proven complete',
} as const;

/** The effect of a rollback on one record. */
export const CHANGE_WORDS = { added: 'comes back', updated: 'changes', removed: 'goes' } as const;

/** Tells failed items of an item bank, which a resume repeats, from rejected records, which it does not. */
export function areItems({ diagnosis, progress, finished_at: end }: JobJson): boolean {
  return diagnosis?.code === 'items_failed' || (end === null && (progress?.failed ?? 0) > 0);
}

/** `3 records stay though the listing lacks them`. */
export function keptWords(kept: number | null): string | null {
  if (kept === null || kept === 0) return null;
  return `${records(kept)} ${kept === 1 ? 'stays' : 'stay'} though the listing lacks ${kept === 1 ? 'it' : 'them'}`;
}

/** `1 record`, `2,000 records`. */
export function records(count: number): string {
  return `${count.toLocaleString('en')} record${count === 1 ? '' : 's'}`;
}

export function touched({ added, updated, removed }: RollbackPreviewJson): number {
  return added + updated + removed;
}

/** `before job 37 (sync)`. Loads by another installation or an older version have no job id here. */
export function beforeWords({ before: { job_id: id, action } }: RollbackPreviewJson): string {
  return id === null ? `before a ${action} of an unknown job` : `before job ${id} (${action})`;
}

export function othersWords({ changed_by_others: count }: RollbackPreviewJson): string | null {
  if (count === 0) return null;
  const these = `${count.toLocaleString('en')} of these records ${count === 1 ? 'has' : 'have'}`;
  return `${these} since been changed by somebody else; a rollback would undo that, too`;
}

/** `20 of 1,132 records`. */
export function sampleWords(preview: RollbackPreviewJson): string {
  const [shown, all] = [preview.sample.length, touched(preview)];
  return shown < all ? `${shown} of ${records(all)}` : records(all);
}
