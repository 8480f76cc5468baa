/** Stores lists of held records and planned records as documents of `syncrator_state`, beside the state of their alias. */
import { z } from 'zod';
import type { PieceMedium } from '../generations/held-store.ts';
import type { SolrClient } from './client.ts';
import { addDocuments, deleteDocuments } from './documents.ts';
import { inPieces, joined, STATE_COLLECTION } from './state-store.ts';

const stored = z.object({ doc: z.record(z.string(), z.unknown()).nullable() });

export function createSolrPieces(client: SolrClient): PieceMedium {
  return {
    // The commit of the state makes it durable.
    write: (key, one) =>
      addDocuments(client, STATE_COLLECTION, [{ id: key, ...inPieces(JSON.stringify(one)) }]),
    async read(key) {
      const query = { id: key, fl: 'state*' };
      const { doc } = await client({ path: `${STATE_COLLECTION}/get`, query, schema: stored });
      return doc && parsed(joined(doc));
    },
    remove: (keys) => deleteDocuments(client, STATE_COLLECTION, keys),
  };
}

/** Whoever reads the piece says that it has another form. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}
