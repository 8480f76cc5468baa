/** Stores lists of held records and planned records as documents of `syncrator-state`, beside the state of their alias. */
import { z } from 'zod';
import { isMissing, type JsonClient } from '../../http/json-client.ts';
import type { PieceMedium } from '../generations/held-store.ts';
import { STATE_INDEX } from './state-store.ts';

const written = z.object({ _id: z.string() });
const stored = z.object({ _source: z.unknown() });

export function createOpenSearchPieces(client: JsonClient): PieceMedium {
  const pathOf = (key: string): string => `${STATE_INDEX}/_doc/${key}`;
  return {
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
  };
}
