/**
 * Copies of the documents that jobs remove. They rest beside the live data for KEEP_CHANGES, so that a rollback can bring
 * single records back. A copy is written before its document is removed. The copy of a document that stayed live in the end
 * does no harm: a rollback leaves live documents alone.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { inGroups } from '../../sources/in-groups.ts';
import type { RejectedRecord } from '../../sources/source.ts';
import { stepKey, type Writer } from '../writer.ts';
import { compareStamps, type Stamps } from './compare.ts';
import { slices } from './slices.ts';
import { type LeftBy, leftBy } from './state-parts.ts';
import { leavingNow } from './steps.ts';

/** What a copy says beside its document. */
export const copyFacts = z.object({ id: z.string(), job: leftBy });

export type CopyFacts = {
  /** Names the copy: one for each record and step of a job, so that a repeated attempt writes it again. */
  readonly key: string;
  readonly id: string;
  /** The job that removed the record. */
  readonly job: LeftBy;
};

export type Copy = CopyFacts & { readonly document: object };

/** All copies of these records, of this job (its uid, or its number), or of removals up to this time. */
export type CopyQuery =
  | { readonly ids: readonly string[] }
  | { readonly job: string }
  | { readonly until: string };

/** The place of the copies. Each call is safe to repeat. */
export type CopyStore = {
  /**
   * Makes the place if it is missing. After that only this run writes to it, as far as the server can tell runs apart.
   * @throws JobError `sinkReplaced` if its name belongs to somebody else
   */
  prepare(): Promise<void>;
  /** Reads documents of the live data. @returns those that can be copied whole, and the number of the others */
  readLive(ids: readonly string[]): Promise<{
    readonly whole: readonly { readonly id: string; readonly document: object }[];
    readonly partial: number;
  }>;
  /** Found after `makeVisible`. @returns those that the server refuses */
  write(copies: readonly Copy[]): Promise<readonly RejectedRecord[]>;
  makeVisible(): Promise<void>;
  /** false: no job has removed anything yet, or the name belongs to somebody else. */
  isThere(): Promise<boolean>;
  count(): Promise<number>;
  /** By id in byte order; for one id the oldest first. Finds none unless the place is there. */
  stream(query: CopyQuery): AsyncGenerator<readonly CopyFacts[]>;
  /** The job of the oldest or newest copy. The place must be there. */
  end(which: 'oldest' | 'newest'): Promise<LeftBy | null>;
  /** The place must have been prepared. */
  remove(keys: readonly string[]): Promise<void>;
  /** Writes the documents of these copies into the live data, under the fence. @returns those that it refuses */
  restore(copies: readonly CopyFacts[]): Promise<readonly RejectedRecord[]>;
};

/** Whole documents may be large. */
const COPIED_AT_ONCE = 100;
const REMOVED_AT_ONCE = 1_000;

/**
 * Copies live documents that this run is about to remove.
 * @returns how many of them could not be copied whole, so that no rollback brings them back by id
 */
export async function keepCopies(
  of: { copies: CopyStore; writer: Writer; log: (line: string) => void },
  pages: AsyncIterable<readonly string[]> | Iterable<readonly string[]>,
): Promise<number> {
  const { copies: store, writer } = of;
  const job = leavingNow(writer);
  let without = 0;
  let begun = false;
  for await (const page of pages)
    for (const ids of slices(page, COPIED_AT_ONCE)) {
      if (!begun) await store.prepare();
      begun = true;
      const { whole, partial } = await store.readLive(ids);
      const copies = whole.map(({ id, document }) => ({ key: keyOf(writer, id), id, job, document }));
      const refused = copies.length === 0 ? [] : await store.write(copies);
      if (refused[0]) of.log(`${refused.length} copies of removed records are refused: ${refused[0].why}`);
      without += partial + refused.length;
    }
  if (begun) await store.makeVisible();
  return without;
}

/** A hash, because an id alone may be as long as a key can be. */
function keyOf(writer: Writer, id: string): string {
  return createHash('sha256')
    .update(JSON.stringify([stepKey(writer), id]))
    .digest('hex');
}

/** The names by which a rollback may call a job. */
export function namesOf({ job_uid: uid, job_id: id }: LeftBy): string[] {
  return [...(uid === null ? [] : [uid]), ...(id === null ? [] : [String(id)])];
}

/** The ids that a switch from `now` to `next` removes. */
export function idsGone(of: { now: Stamps; next: Stamps }): AsyncGenerator<string[]> {
  return inGroups(gone(of), { make: (id) => id, lengthOf: () => 0, mostRows: REMOVED_AT_ONCE });
}

async function* gone(of: { now: Stamps; next: Stamps }): AsyncGenerator<string> {
  for await (const { kind, id } of compareStamps(of)) if (kind === 'removed') yield id;
}

/**
 * Deletes the copies that are older than KEEP_CHANGES. While there are more than twice as many copies as live records, those
 * of the oldest jobs go, too, but never those of the newest job.
 */
export async function purgeCopies(
  store: CopyStore,
  of: { keepMs: number; live: () => Promise<number>; log: (line: string) => void },
): Promise<void> {
  if (!(await store.isThere())) return;
  let oldest = await store.end('oldest');
  if (!oldest) return;
  const limit = new Date(Date.now() - of.keepMs).toISOString();
  let deleted = oldest.at < limit ? await removeUntil(store, limit) : 0;
  const most = 2 * (await of.live());
  for (let count = await store.count(); count > most; ) {
    const newest = await store.end('newest');
    oldest = await store.end('oldest');
    if (!oldest || !newest || isSameJob(oldest, newest)) break;
    const some = await removeUntil(store, oldest.at);
    deleted += some;
    count -= some;
  }
  if (deleted > 0) of.log(`${deleted} old copies of removed records were deleted`);
}

/** Attempts of one job have several times. */
function isSameJob(one: LeftBy, other: LeftBy): boolean {
  if (one.job_uid !== null && other.job_uid !== null) return one.job_uid === other.job_uid;
  if (one.job_id !== null && other.job_id !== null) return one.job_id === other.job_id;
  return one.at === other.at;
}

async function removeUntil(store: CopyStore, until: string): Promise<number> {
  return await removeFound(store, { until });
}

/** @returns the number of deleted copies */
export async function removeFound(store: CopyStore, query: CopyQuery): Promise<number> {
  if (!(await store.isThere())) return 0;
  // No copy of an earlier run comes later.
  await store.prepare();
  // A killed run may have left copies that are not visible yet.
  await store.makeVisible();
  let count = 0;
  for await (const page of store.stream(query)) {
    await store.remove(page.map(({ key }) => key));
    count += page.length;
  }
  if (count > 0) await store.makeVisible();
  return count;
}
