/** Counts what a switch to a loaded generation would change, and finds the records that it would lose. */
import { JobError } from '../../job-error.ts';
import { type ApplyPlan, type Difference, type Judgement, MOST_ASKED } from '../sink.ts';
import { compareStamps, type Stamps } from './compare.ts';
import { EvenSample, freshFirst } from './even-sample.ts';
import { firstIds } from './first-ids.ts';
import { findInOrder, type HeldPages } from './held-set.ts';

export type Comparison = Pick<Difference, 'live' | 'added' | 'updated' | 'missed'> & {
  /**
   * Live records that the load lacks; those of them that were not held before; and of these, those that the source returned
   * when asked by id.
   */
  readonly gone: {
    readonly all: EvenSample;
    readonly fresh: EvenSample;
    readonly answered: EvenSample;
  };
};

/** @param of.watermark of the live data; null: unknown */
export async function compareGenerations(of: {
  now: Stamps;
  next: Stamps;
  watermark: string | null;
  answered: ReadonlySet<string> | null;
  held: HeldPages;
}): Promise<Comparison> {
  const counts = { live: 0, added: 0, updated: 0 };
  const sample = (): EvenSample => new EvenSample(MOST_ASKED);
  const gone = { all: sample(), fresh: sample(), answered: sample() };
  const findHeld = findInOrder(of.held);
  const watermark = of.watermark === null ? null : Date.parse(of.watermark);
  const missed = { count: 0, latestMs: 0 };
  for await (const { kind, id, now, next } of compareStamps(of)) {
    if (now) counts.live += 1;
    if (kind === 'removed') {
      gone.all.offer(id);
      if (await findHeld(id)) continue;
      gone.fresh.offer(id);
      if (of.answered?.has(id)) gone.answered.offer(id);
    } else if (kind !== 'same') {
      counts[kind] += 1;
      const late = watermark === null ? 0 : watermark - (next?.updatedAt ?? watermark);
      if (late > 0) {
        missed.count += 1;
        missed.latestMs = Math.max(missed.latestMs, late);
      }
    }
  }
  return { ...counts, gone, missed: watermark === null ? null : missed };
}

/** @returns ids to ask the source for first; null: the judge may decide @throws JobError `incompleteListing` */
export function lossesToAsk(
  gone: Comparison['gone'],
  plan: Pick<ApplyPlan, 'mayRemove' | 'answered'>,
): readonly string[] | null {
  if (gone.all.count === 0) return null;
  if (!plan.mayRemove)
    throw wouldLoseRecords(gone.all, 'are missing in the listing, which was not proven complete');
  return plan.answered === null ? freshFirst(gone.fresh.ids, gone.all.ids) : null;
}

/**
 * After a switch readers see the loaded generation and what is held, so other records would be lost.
 * @throws JobError `incompleteListing`
 */
export function refuseLosses({ answered }: Comparison['gone'], judgement: Judgement): void {
  if (judgement !== 'apply' || answered.count === 0) return;
  const why = 'are missing in the listing, but the source returned them when asked by id';
  throw wouldLoseRecords(answered, why);
}

function wouldLoseRecords({ count, ids }: EvenSample, why: string): JobError {
  return new JobError(
    'incompleteListing',
    `nothing was changed: ${count} live records ${why} (${firstIds(ids, count)}). A switch would lose ` +
      'them, so the aliases were not switched. Make the source list everything, then run the job again; until then a delta ' +
      'adds and updates records',
  );
}
