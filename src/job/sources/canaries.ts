/**
 * Puts CANARY_IDS between a source and its reader: ids that every complete listing has. A listing that lacks one is not
 * believed, whatever its size and its evidence.
 */
import { IncompleteListingError } from '../job-error.ts';
import { isAfter } from './byte-order.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { IdBatch, Source, SourceBatch } from './source.ts';

/** @param canaries ids, in any order; at least one */
export function expectCanaries(source: Source, canaries: readonly string[]): Source {
  const inOrder = canaries.toSorted(byBytes);
  return {
    ...source,
    // A source may know its own only after the survey. A resumed listing does not pass earlier canaries again.
    get mapping() {
      return `${source.mapping ?? ''}${fingerprintOf(inOrder)}`;
    },
    changedSince: (since, from, batchSize) => {
      const batches = source.changedSince(since, from, batchSize);
      const isWhole = since === null && source.state?.continues() !== true;
      return isWhole ? checked(batches, inOrder, from?.after ?? null) : batches;
    },
    ids: (batchSize) => checked(source.ids(batchSize), inOrder, null),
    async stillThere(ids) {
      const all = [...new Set([...ids, ...canaries])].toSorted(byBytes);
      const there = await source.stillThere(all);
      const lost = inOrder.find((id) => !there.has(id));
      if (lost !== undefined) throw missing(lost);
      return new Set(ids.filter((id) => there.has(id)));
    },
  };
}

function byBytes(one: string, other: string): number {
  if (one === other) return 0;
  return isAfter(one, other) ? 1 : -1;
}

/**
 * Batches come in byte order, so a canary is missing as soon as the cursor has passed its place: no checkpoint ever lies
 * behind a missing one. @param after the place from which the listing goes on
 */
async function* checked<B extends SourceBatch | IdBatch>(
  batches: AsyncIterable<B>,
  canaries: readonly string[],
  after: string | null,
): AsyncGenerator<B> {
  const expected = canaries.filter((id) => after === null || isAfter(id, after));
  for await (const batch of batches) {
    const listed = idsOf(batch);
    while (expected[0] !== undefined && !isAfter(expected[0], batch.cursor.after))
      if (!listed.has(expected[0])) throw missing(expected[0]);
      else expected.shift();
    yield batch;
  }
  if (expected[0] !== undefined) throw missing(expected[0]);
}

/** A record that is set aside is listed too. */
function idsOf(batch: SourceBatch | IdBatch): ReadonlySet<string> {
  const good = 'ids' in batch ? batch.ids : batch.records.map(({ id }) => id);
  return new Set([...good, ...batch.rejected.flatMap(({ id }) => (id === null ? [] : [id]))]);
}

function missing(id: string): IncompleteListingError {
  return new IncompleteListingError(
    `it lacks '${id}' of CANARY_IDS, so it is not believed; find out why the source leaves it out, or remove it from CANARY_IDS`,
  );
}
