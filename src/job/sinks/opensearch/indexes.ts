/** Calls for indexes and aliases, each safe to repeat. */
import { z } from 'zod';
import { isMissing, type JsonClient, ServerRefusal } from '../../http/json-client.ts';
import { CLUSTER_DEADLINE_MS } from './client.ts';

export type Index = {
  readonly name: string;
  /** Distinguishes an index from a later one with the same name. */
  readonly uuid: string;
  readonly aliases: readonly string[];
  /** The alias that we made it for; null for an index of somebody else. */
  readonly madeFor: string | null;
};

const found = z.record(
  z.string(),
  z.object({
    aliases: z.record(z.string(), z.unknown()).default({}),
    mappings: z.object({
      _meta: z.object({ syncrator: z.object({ alias: z.string() }).optional().catch(undefined) }).optional(),
    }),
    settings: z.object({ index: z.object({ uuid: z.string() }) }),
  }),
);
const done = z.object({ acknowledged: z.boolean() });
const deadlineMs = CLUSTER_DEADLINE_MS;

/** The indexes that a name leads to, as an alias or as the index itself; none if it does not exist. */
export async function lookUp(client: JsonClient, name: string): Promise<Index[]> {
  try {
    const listed = await client({ path: name, schema: found });
    return Object.entries(listed).map(([index, { aliases, mappings, settings }]) => ({
      name: index,
      uuid: settings.index.uuid,
      aliases: Object.keys(aliases),
      madeFor: mappings._meta?.syncrator?.alias ?? null,
    }));
  } catch (error) {
    if (!isMissing(error)) throw error;
    return [];
  }
}

/** The index itself; null if there is none of this name. */
export async function describeIndex(client: JsonClient, name: string): Promise<Index | null> {
  return (await lookUp(client, name)).find((index) => index.name === name) ?? null;
}

/** @param body mappings, settings and aliases */
export async function createIndex(client: JsonClient, name: string, body: object): Promise<void> {
  const call = { method: 'PUT', path: name, body: JSON.stringify(body), schema: done, deadlineMs } as const;
  await client(call).catch((error: unknown) => {
    // After a lost answer, the retry meets our own index: nobody else knows its name.
    if (!(error instanceof ServerRefusal) || error.type !== 'resource_already_exists_exception') throw error;
  });
}

export async function deleteIndex(client: JsonClient, name: string): Promise<void> {
  await client({ method: 'DELETE', path: name, schema: done, deadlineMs }).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
}

export type AliasAction =
  /** The alias must be there: all actions together are a compare-and-swap. */
  | { readonly remove: { readonly index: string; readonly alias: string; readonly must_exist: true } }
  | { readonly add: { readonly index: string; readonly alias: string } };

/** All actions or none, at once for every reader. @returns false if an alias to remove is not there */
export async function changeAliases(client: JsonClient, actions: readonly AliasAction[]): Promise<boolean> {
  try {
    await client({ path: '_aliases', body: JSON.stringify({ actions }), schema: done, deadlineMs });
    return true;
  } catch (error) {
    if (!isMissing(error)) throw error;
    return false;
  }
}

export function removal(index: string, alias: string): AliasAction {
  return { remove: { index, alias, must_exist: true } };
}
