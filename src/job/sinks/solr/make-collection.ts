/** Makes a small collection of our own beside those of the application. */
import { isMissing } from '../../http/json-client.ts';
import { waitFor } from '../../wait.ts';
import { readPrimary, type Solr } from './aliases.ts';
import { createCollection, describeCollection } from './collections.ts';

const TRIES = 20;
const PAUSE_MS = 250;

/** Safe to repeat. @param look answers 404 while the collection is missing */
export async function makeCollection(solr: Solr, name: string, look: () => Promise<unknown>): Promise<void> {
  const { client, stop } = solr;
  const primary = await readPrimary(solr);
  for (let tried = 1; ; tried += 1) {
    try {
      await look();
      return;
    } catch (error) {
      // A node that does not know the new collection yet answers 404 too.
      if (!isMissing(error) || tried === TRIES) throw error;
      if (tried === 1) await createCollection(client, name, await describeCollection(client, primary));
      else await waitFor(PAUSE_MS, stop);
    }
  }
}
