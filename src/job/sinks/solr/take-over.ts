/** Begins a new history for a new owner, so that no rollback restores data of the previous one. */
import { NOTHING_APPLIED } from '../sink.ts';
import { describeCollection } from './collections.ts';
import { UNKNOWN } from '../generations/state-parts.ts';
import { readPrimary, type Solr } from './aliases.ts';
import { isMissing } from '../../http/json-client.ts';
import { deleteEverything } from './documents.ts';
import { copiesOf } from './removed-copies.ts';
import { withStep } from './steps.ts';

/** Safe to repeat. Opening the sink has already stored the new owner. */
export async function takeOver(solr: Solr): Promise<void> {
  const { client, store, writer } = solr;
  const primary = await readPrimary(solr);
  const { creationTimeMillis: created } = await describeCollection(client, primary);
  await forgetCopies(solr);
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
}

/** The copies of removed records are those of the former owner. */
async function forgetCopies({ client, names, store }: Solr): Promise<void> {
  await store.read();
  await deleteEverything(client, copiesOf(names.primary)).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
}
