/**
 * Carries live records that the listing lacks over into the complete load, so that readers still find them after the
 * switch. The load names them first: a later attempt takes them out again before it loads on.
 */
import { JobError, WrongLoadError } from '../../job-error.ts';
import type { RejectedRecord } from '../../sources/source.ts';
import type { Applied, ApplyPlan, Difference, Judgement } from '../sink.ts';
import type { Writer } from '../writer.ts';
import { compareStamps, type Stamps } from './compare.ts';
import type { Comparison } from './comparison.ts';
import type { HeldSets } from './held-store.ts';
import { firstIds } from './first-ids.ts';
import { findInOrder, type HeldEntry, type HeldPages, newSet, type Since } from './held-set.ts';
import { slices } from './slices.ts';
import type { Generation, HeldSet } from './state-parts.ts';

/** Whole documents may be large. */
const COPIED_AT_ONCE = 500;

/** What goes on waiting unless a full listing comes with `--force-delete`. @returns null: none */
export function heldBefore(
  { force, mayRemove }: Pick<ApplyPlan, 'force' | 'mayRemove'>,
  live: Pick<Generation, 'held'> | null,
): HeldSet | null {
  return force && mayRemove ? null : (live?.held ?? null);
}

/** How many of the missing records wait after the switch. */
export function countToHold(
  judgement: Judgement,
  { force }: { force: boolean },
  { all, fresh }: Comparison['gone'],
): number {
  if (judgement !== 'apply') return all.count;
  return force ? 0 : all.count - fresh.count;
}

/** The difference when so many of the missing records stay. */
export function afterHolding(
  difference: Difference,
  { judgement, count }: { judgement: Judgement; count: number },
): Difference & Unusual {
  if (count === 0) return difference;
  const kept = { ...difference.kept, held: count };
  return { ...difference, removed: difference.removed - count, kept, ...unusual(judgement, count) };
}

type Unusual = Pick<Applied, 'heldAsUnusual'>;

/** @param count how many are held */
export function unusual(judgement: Judgement, count: number): Unusual {
  return judgement === 'hold_unusual' && count > 0 ? { heldAsUnusual: true } : {};
}

/** Since when the records that this run holds are missing. @param live the generation that has them */
export function sinceNow(
  { jobId, jobUid }: Pick<Writer, 'jobId' | 'jobUid'>,
  live: Pick<Generation, 'listed_at'> | null,
): Since {
  return { at: new Date().toISOString(), seen: live?.listed_at ?? null, job_id: jobId, job_uid: jobUid };
}

export type Carrying = {
  readonly sets: HeldSets;
  readonly now: () => Stamps;
  readonly next: () => Stamps;
  /** The set of the live generation. */
  readonly before: HeldSet | null;
  /** For records that are held for the first time; null: only those that were held before stay. */
  readonly since: Since | null;
  /** Stores the set in the state of the load. @throws JobError `fenced` */
  readonly announce: (set: HeldSet) => Promise<void>;
  /** Copies live documents into the load. @throws JobError if one cannot be copied whole */
  readonly copy: (ids: readonly string[]) => Promise<void>;
  /** Makes everything visible and counts the documents of the load. */
  readonly count: () => Promise<number>;
};

/** @param of.count how many will be held @param of.written documents of the load so far @throws WrongLoadError */
export async function carryHeld(
  carrying: Carrying,
  of: { count: number; written: number },
): Promise<HeldSet | null> {
  if (of.count === 0) return null;
  const { sets, announce, copy, count } = carrying;
  const set = newSet(of.count);
  await announce(set);
  await sets.write(set, entriesToHold(carrying));
  for await (const entries of sets.read(set))
    for (const some of slices(entries, COPIED_AT_ONCE)) await copy(some.map(({ id }) => id));
  const there = await count();
  if (there === of.written + set.count) return set;
  throw new WrongLoadError(
    `the load holds ${there} records instead of ${of.written} listed and ${set.count} held ones; run the job again`,
  );
}

async function* entriesToHold(of: Carrying): AsyncGenerator<HeldEntry> {
  const find = findInOrder(of.sets.read(of.before));
  for await (const { kind, id } of compareStamps({ now: of.now(), next: of.next() })) {
    if (kind !== 'removed') continue;
    const before = await find(id);
    if (before) yield before;
    else if (of.since) yield { id, since: of.since };
  }
}

/** Takes out what an earlier attempt has carried over into a load. */
export async function takeOut(
  pages: HeldPages,
  remove: (ids: readonly string[]) => Promise<void>,
): Promise<void> {
  for await (const entries of pages) await remove(entries.map(({ id }) => id));
}

/** @param why names the reason and the fix */
export function cannotHold(ids: readonly string[], why: string): JobError {
  return new JobError(
    'deleteGuard',
    `nothing was changed: the removals cannot wait, because live documents that the listing lacks cannot be carried over ` +
      `(${firstIds(ids)}): ${why}. Or remove them: --force-delete`,
  );
}

/** The first refused document, with the reason in the words of the server. */
export function cannotHoldRefused(refused: readonly RejectedRecord[], fix: string): JobError {
  return cannotHold(
    refused.map(({ id }) => id ?? ''),
    `${refused[0]?.why ?? ''}; ${fix}`,
  );
}
