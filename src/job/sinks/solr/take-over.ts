/** Begins a new history for a new owner, so that no rollback restores data of the previous one. */
import { NOTHING_APPLIED } from '../sink.ts';
import { describeCollection } from './collections.ts';
import { UNKNOWN } from '../generations/state-parts.ts';
import { readPrimary, type Solr } from './aliases.ts';
import { deleteCopies } from './removed-copies.ts';
import { withStep } from './steps.ts';

/** Safe to repeat. Opening the sink has already stored the new owner. */
export async function takeOver(solr: Solr): Promise<void> {
  const { client, store, sets, writer } = solr;
  const primary = await readPrimary(solr);
  const { creationTimeMillis: created } = await describeCollection(client, primary);
  // Those of the former owner.
  await deleteCopies(solr);
  await store.change(
    (state) => {
      const live = state.generations[primary] ?? { ...UNKNOWN, created };
      return {
        ...state,
        load: null,
        generations: { [primary]: { ...live, left_by: null } },
        ...withStep({ ...state, steps: [] }, writer, NOTHING_APPLIED),
      };
    },
    { durable: true },
  );
  await sets.deleteDropped();
}
