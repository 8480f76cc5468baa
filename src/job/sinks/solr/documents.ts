/** Reads and writes documents of one collection: the newest state by id, what searches find, and changes with their commit. */

import { z } from 'zod';
import { JobError } from '../../job-error.ts';
import { COMMIT_DEADLINE_MS, type SolrClient } from './client.ts';
import { UPDATED_AT } from './document.ts';

/** An id and its time in milliseconds; null where it has none (a document that is not ours). */
export type Stamp = { readonly id: string; readonly updatedAt: number | null };

const PAGE = 10_000;
const IDS_AT_ONCE = 1_000;
/** Below the number of clauses that Solr allows in one query. */
const SEARCHED_AT_ONCE = 100;

const stamps = z.array(z.object({ id: z.string(), [UPDATED_AT]: z.string().optional() }));
const found = z.object({
  responseHeader: z.object({ partialResults: z.literal(false).optional() }).optional(),
  response: z.object({ numFound: z.number(), docs: stamps }),
  nextCursorMark: z.string().optional(),
});
const written = z.object({ responseHeader: z.object({ status: z.literal(0) }) });

/** What searches find; after a commit, everything that was written. */
export async function countDocuments(client: SolrClient, collection: string): Promise<number> {
  return (await search(client, collection, { query: '*:*', limit: 0 })).response.numFound;
}

/** How many of these ids searches find. */
export async function countFound(
  client: SolrClient,
  collection: string,
  ids: readonly string[],
): Promise<number> {
  let count = 0;
  for (const some of slices([...new Set(ids)], SEARCHED_AT_ONCE)) {
    const should = some.map((id) => ({ raw: { f: 'id', query: id } }));
    count += (await search(client, collection, { query: { bool: { should } }, limit: 0 })).response.numFound;
  }
  return count;
}

/** All that searches find, ordered by id in byte order, a page in memory at a time. */
export async function* streamStamps(client: SolrClient, collection: string): AsyncGenerator<Stamp[]> {
  for (let cursorMark = '*'; ; ) {
    const answer = await search(client, collection, {
      query: '*:*',
      sort: 'id asc',
      limit: PAGE,
      fields: ['id', UPDATED_AT],
      params: { cursorMark },
    });
    if (answer.response.docs.length > 0) yield answer.response.docs.map(stampOf);
    const next = answer.nextCursorMark;
    if (next === undefined || next === cursorMark) return;
    cursorMark = next;
  }
}

/** The stamps of those of these ids that are there, committed or not. */
export async function readStamps(
  client: SolrClient,
  collection: string,
  ids: readonly string[],
): Promise<Map<string, Stamp>> {
  const there = new Map<string, Stamp>();
  for (const some of slices(ids, IDS_AT_ONCE)) {
    // A parameter for each, since one with commas between would cut ids with commas in them.
    const { response } = await client({
      path: `${collection}/get`,
      body: JSON.stringify({ params: { id: some, fl: `id,${UPDATED_AT}` } }),
      // A single id is answered in another form, unless it is asked for as a list.
      query: some.length === 1 ? { ids: '' } : {},
      schema: found,
    });
    for (const document of response.docs) there.set(document.id, stampOf(document));
  }
  return there;
}

/** Not to be found before the next commit. Safe to repeat. @throws JobError with Solr's words where it refuses one */
export async function addDocuments(
  client: SolrClient,
  collection: string,
  documents: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  if (documents.length > 0) await update(client, collection, documents);
}

/** Not to be seen before the next commit. Safe to repeat. */
export async function deleteDocuments(
  client: SolrClient,
  collection: string,
  ids: readonly string[],
): Promise<void> {
  if (ids.length > 0) await update(client, collection, { delete: ids });
}

/** Empties the collection and commits. */
export async function deleteEverything(client: SolrClient, collection: string): Promise<void> {
  const everything = { delete: { query: '*:*' } };
  await update(client, collection, everything, { query: { commit: 'true' }, deadlineMs: COMMIT_DEADLINE_MS });
  const left = await countDocuments(client, collection);
  if (left > 0)
    throw new JobError('failed', `sink: ${collection} was emptied and still has ${left} documents`);
}

/** What was written is found from now on. */
export async function commit(client: SolrClient, collection: string): Promise<void> {
  const body = { commit: { waitSearcher: true } };
  await update(client, collection, body, { deadlineMs: COMMIT_DEADLINE_MS });
}

async function update(
  client: SolrClient,
  collection: string,
  body: unknown,
  options: { query?: Readonly<Record<string, string>>; deadlineMs?: number } = {},
): Promise<void> {
  await client({
    path: `${collection}/update`,
    body: JSON.stringify(body),
    schema: written,
    ...options,
  });
}

async function search(
  client: SolrClient,
  collection: string,
  { params, ...body }: { params?: Record<string, string>; [field: string]: unknown },
): Promise<z.infer<typeof found>> {
  // A catalogue's own defaults (a parser, answers from half the shards) must not count for us.
  const plain = { defType: 'lucene', 'shards.tolerant': 'false', ...params };
  return await client({
    path: `${collection}/select`,
    body: JSON.stringify({ ...body, params: plain }),
    schema: found,
  });
}

function stampOf(document: z.infer<typeof stamps>[number]): Stamp {
  const { id, [UPDATED_AT]: updatedAt } = document;
  return { id, updatedAt: updatedAt === undefined ? null : Date.parse(updatedAt) };
}

function* slices<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
