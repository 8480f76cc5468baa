/** Copies live documents into the load, from their `_source`, which holds the whole record. */
import type { RejectedRecord } from '../../sources/source.ts';
import { type OpenSearch, readLive } from './alias.ts';
import { sendBulk, type Target, write } from './bulk.ts';
import { readDocuments } from './documents.ts';

/** The document has passed the ingest pipeline of its index once. */
export const AS_IT_IS = { pipeline: '_none' } as const;

/** Safe to repeat. @returns how many of these ids are live, and those that the new mapping refuses */
export async function copyLive(
  sink: OpenSearch,
  target: Target,
  ids: readonly string[],
): Promise<{ count: number; refused: readonly RejectedRecord[] }> {
  const live = ids.length === 0 ? null : await readLive(sink, await sink.store.read());
  if (!live) return { count: 0, refused: [] };
  const documents = await readDocuments(sink.client, live.index.name, ids);
  const operations = documents.map(({ id, source }) => write(id, source, target, AS_IT_IS));
  return { count: documents.length, refused: await sendBulk(sink, target, operations) };
}
