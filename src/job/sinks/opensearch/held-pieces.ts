/** Stores lists of held records as documents of the index `syncrator-state`, beside the state of their alias. */
import { z } from 'zod';
import { isMissing, type JsonClient } from '../../http/json-client.ts';
import type { FencedStore } from '../generations/fenced-store.ts';
import { createHeldSets, type HeldSets } from '../generations/held-store.ts';
import { piece } from '../generations/held-set.ts';
import type { State } from './state.ts';
import { STATE_INDEX } from './state-store.ts';

const written = z.object({ _id: z.string() });
const stored = z.object({ _source: piece });

export function createOpenSearchSets(client: JsonClient, alias: string, store: FencedStore<State>): HeldSets {
  const pathOf = (key: string): string => `${STATE_INDEX}/_doc/${key}`;
  return createHeldSets(
    { alias, where: STATE_INDEX, store },
    {
      async write(key, one) {
        await client({ method: 'PUT', path: pathOf(key), body: JSON.stringify(one), schema: written });
      },
      async read(key) {
        try {
          return (await client({ path: pathOf(key), schema: stored }))._source;
        } catch (error) {
          if (!isMissing(error)) throw error;
          return null;
        }
      },
      async remove(keys) {
        for (const key of keys)
          await client({ method: 'DELETE', path: pathOf(key), schema: written }).catch((error: unknown) => {
            if (!isMissing(error)) throw error;
          });
      },
    },
  );
}
