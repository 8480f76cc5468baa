/** Describes the story of a record, the same for terminal and page. Pure. */
import type { StoryEntryJson, StoryJson, StoryValueJson } from './types.ts';

const STORY_WORDS: Readonly<Record<StoryEntryJson['kind'], string>> = {
  added: 'added',
  updated: 'changed',
  removed: 'removed',
  restored: 'restored by a rollback',
  held: 'held: its removal waits for an answer since',
  kept: 'kept',
  approved: 'its removal was approved',
  pinned: 'kept by an answer',
};

const REASON_WORDS: Readonly<Record<string, string>> = {
  no_evidence: 'a listing lacked it, but was not proven complete',
  answered: 'a listing lacked it, but the source returned it when asked by id',
  referenced: 'a listing lacked it, but rows of other tables refer to it',
  rolled_back: 'a rollback restored it; only --force-delete removes it while no listing has it',
  not_ours: 'no job has written it; only --force-delete removes it',
  held: 'a listing lacked it, and its removal waits for an answer',
};

/** Why a record is live although a listing lacks it. A newer program may know further reasons. */
function reasonWords(reason: string): string {
  return REASON_WORDS[reason] ?? reason;
}

/** `changed`, or `kept by an answer until 2026-12-24T09:00:00.000Z`. @param timeWords shows a time */
export function entryWords(
  { kind, reason, answer }: StoryEntryJson,
  timeWords: (time: string) => string = String,
): string {
  const why = kind === 'kept' && reason !== null ? `: ${reasonWords(reason)}` : '';
  const until = answer === null || answer.until === null ? '' : ` until ${timeWords(answer.until)}`;
  return `${STORY_WORDS[kind]}${why}${until}`;
}

/** `by ada, as a record of loss 7: “closed”; it led to job 38`, or the job of an entry of the sink. */
export function causeWords(entry: StoryEntryJson): string {
  const { answer, job_id: job } = entry;
  if (answer === null) return jobWords(entry);
  const { by, reason, loss_id: loss } = answer;
  const removal = job === null ? '' : `; it led to job ${job}`;
  return `by ${by}, as a record of loss ${loss}: “${reason}”${removal}`;
}

/** `by job 37 (sync), asked for by admin`; the record of a job may be deleted earlier than its changes in the sink. */
function jobWords({ action, job_id: id, requested_by: by }: StoryEntryJson): string {
  if (id === null)
    return action === null ? 'by a job that is not known any more' : `by a ${action} of an unknown job`;
  return `by job ${id} (${action ?? 'unknown'})${by === null ? '' : `, asked for by ${by}`}`;
}

export type FieldChange = {
  readonly field: string;
  /** JSON; null: the record had no such field. */
  readonly before: string | null;
  readonly after: string | null;
};

/** The changed fields with their values; undefined if a value is not shown. */
export function fieldChanges({ before, after, changed }: StoryEntryJson): FieldChange[] | undefined {
  if (before === null || after === null || changed === null) return [];
  const [one, other] = [before.record, after.record];
  if (one === null || other === null) return undefined;
  const fields = changed.map((field) => ({
    field,
    before: valueIn(one, field),
    after: valueIn(other, field),
  }));
  const times = [before.updated_at, after.updated_at].map((time) => JSON.stringify(time));
  const isTimeTold = changed.includes('updated_at') || times[0] === times[1];
  return isTimeTold
    ? fields
    : [...fields, { field: 'updated_at', before: times[0] ?? null, after: times[1] ?? null }];
}

function valueIn(record: Readonly<Record<string, unknown>>, field: string): string | null {
  return Object.hasOwn(record, field) ? JSON.stringify(record[field]) : null;
}

/** The whole value that an entry added, removed or restored; null for one that has both or none. */
export function wholeValue({ before, after }: StoryEntryJson): StoryValueJson | null {
  return before !== null && after !== null ? null : (after ?? before);
}

export const NOT_SHOWN = 'larger than 64 KiB, or too deep to be shown';

/** A record on one line. */
export function valueWords({ record }: StoryValueJson): string {
  return record === null ? `(${NOT_SHOWN})` : JSON.stringify(record);
}

export const OTHERS_WORDS = 'afterwards another program changed the record';

/** How far back the story reaches. */
export function reachWords({ begins, older }: StoryJson): string {
  if (older > 0) return `${older.toLocaleString('en')} older changes are kept in the sink and not shown`;
  if (begins === null) return 'the sink has no history: no job has written to it';
  const { at, action, job_id: job, why } = begins;
  const first = `the history begins at ${at} with ${job === null ? `a ${action}` : `job ${job} (${action})`}`;
  return why === null ? `${first}; older changes were deleted (KEEP_CHANGES)` : `${first}: ${why}`;
}

/** Whether the record was live when the story was told, and why it still is. */
export function stateWords({ live, kept }: StoryJson): string {
  if (live === null) return 'not live';
  return kept === null ? 'live' : `live: ${reasonWords(kept.reason)}`;
}
