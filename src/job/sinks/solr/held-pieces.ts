/** Stores lists of held records as documents of the collection `syncrator_state`, beside the state of their alias. */
import { z } from 'zod';
import { JobError } from '../../job-error.ts';
import { createHeldSets, type HeldSets } from '../generations/held-store.ts';
import { piece } from '../generations/held-set.ts';
import type { SolrClient } from './client.ts';
import { addDocuments, deleteDocuments } from './documents.ts';
import { inPieces, joined, STATE_COLLECTION, type StateStore } from './state-store.ts';

const stored = z.object({ doc: z.record(z.string(), z.unknown()).nullable() });

export function createSolrSets(client: SolrClient, app: string, store: StateStore): HeldSets {
  return createHeldSets(
    { alias: app, where: STATE_COLLECTION, store },
    {
      // The commit of the state makes it durable.
      write: (key, one) =>
        addDocuments(client, STATE_COLLECTION, [{ id: key, ...inPieces(JSON.stringify(one)) }]),
      async read(key) {
        const query = { id: key, fl: 'state*' };
        const { doc } = await client({ path: `${STATE_COLLECTION}/get`, query, schema: stored });
        return doc && parsePiece(key, joined(doc));
      },
      remove: (keys) => deleteDocuments(client, STATE_COLLECTION, keys),
    },
  );
}

function parsePiece(key: string, json: string): z.infer<typeof piece> {
  try {
    return piece.parse(JSON.parse(json));
  } catch (error) {
    const why = 'a newer version or another program has written it; upgrade Syncrator';
    throw new JobError('failed', `sink: cannot read document ${key} of ${STATE_COLLECTION}: ${why}`, {
      cause: error,
    });
  }
}
