/** Reads and writes documents of one collection: by id (newest state), by search (committed state), and updates. */
import { z } from 'zod';
import { JobError } from '../../job-error.ts';
import type { Stamp, Stamps } from '../generations/compare.ts';
import { parseExactly } from '../../sources/record-number.ts';
import { slices } from '../generations/slices.ts';
import { COMMIT_DEADLINE_MS, type SolrClient } from './client.ts';
import { type Document, UPDATED_AT } from './document.ts';

const PAGE = 10_000;
const IDS_AT_ONCE = 1_000;
/** Below Solr's limit of clauses per query. */
const SEARCHED_AT_ONCE = 100;

const stamps = z.array(z.object({ id: z.string(), [UPDATED_AT]: z.string().optional() }));
const found = z.object({
  responseHeader: z.object({ partialResults: z.literal(false).optional() }).optional(),
  response: z.object({ numFound: z.number(), docs: stamps }),
  nextCursorMark: z.string().optional(),
});
const got = z.object({ response: z.object({ docs: z.array(z.looseObject({ id: z.string() })) }) });
const written = z.object({ responseHeader: z.object({ status: z.literal(0) }) });

/** Counts committed documents. */
export async function countDocuments(client: SolrClient, collection: string): Promise<number> {
  return (await search(client, collection, { query: '*:*', limit: 0 })).response.numFound;
}

/** Counts the committed documents with these ids. @param field counts only documents with a value in it */
export async function countFound(
  client: SolrClient,
  collection: string,
  ids: readonly string[],
  field?: string,
): Promise<number> {
  let count = 0;
  const must = field === undefined ? {} : { filter: `${field}:*` };
  for (const some of slices([...new Set(ids)], SEARCHED_AT_ONCE)) {
    const should = some.map((id) => ({ raw: { f: 'id', query: id } }));
    count += (await search(client, collection, { query: { bool: { should } }, limit: 0, ...must })).response
      .numFound;
  }
  return count;
}

/** Of these ids those whose committed documents have a value in the field. */
export async function findUsing(
  client: SolrClient,
  collection: string,
  ids: readonly string[],
  field: string,
): Promise<string[]> {
  const using: string[] = [];
  for (const some of slices(ids, SEARCHED_AT_ONCE)) {
    const should = some.map((id) => ({ raw: { f: 'id', query: id } }));
    const body = { query: { bool: { should } }, filter: `${field}:*`, fields: ['id'], limit: some.length };
    const { docs } = (await search(client, collection, body)).response;
    using.push(...docs.map(({ id }) => id));
  }
  return using;
}

/** Streams the stamps of all committed documents, in byte order of their ids, one page at a time. */
export async function* streamStamps(client: SolrClient, collection: string): Stamps {
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

/** Reads the stamps of existing documents among these ids, committed or not. */
export async function readStamps(
  client: SolrClient,
  collection: string,
  ids: readonly string[],
): Promise<Map<string, Stamp>> {
  const there = new Map<string, Stamp>();
  for (const some of slices(ids, IDS_AT_ONCE)) {
    const documents = await get(client, collection, some, `id,${UPDATED_AT}`);
    for (const document of stamps.parse(documents)) there.set(document.id, stampOf(document));
  }
  return there;
}

/** Reads the existing documents among these ids, committed or not, with all fields that Solr returns. */
export async function readDocuments(
  client: SolrClient,
  collection: string,
  ids: readonly string[],
): Promise<Document[]> {
  const there: Document[] = [];
  for (const some of slices(ids, IDS_AT_ONCE)) there.push(...(await get(client, collection, some, '*')));
  return there;
}

/** Visible after the next commit. Safe to repeat. @throws ServerRefusal if Solr refuses a document */
export async function addDocuments(
  client: SolrClient,
  collection: string,
  documents: readonly Document[],
): Promise<void> {
  if (documents.length > 0) await update(client, collection, documents);
}

/** Effective after the next commit. Safe to repeat. */
export async function deleteDocuments(
  client: SolrClient,
  collection: string,
  ids: readonly string[],
): Promise<void> {
  if (ids.length > 0) await update(client, collection, { delete: ids });
}

/** Empties the collection and commits. */
export async function deleteEverything(client: SolrClient, collection: string): Promise<void> {
  await deleteFound(client, collection, '*:*');
  const left = await countDocuments(client, collection);
  if (left > 0)
    throw new JobError(
      'failed',
      `sink: ${collection} still has ${left} documents after it was emptied; check for other programs that write to it`,
    );
}

/** Deletes what the query finds and commits. */
export async function deleteFound(client: SolrClient, collection: string, query: string): Promise<void> {
  const options = { query: { commit: 'true' }, deadlineMs: COMMIT_DEADLINE_MS };
  await update(client, collection, { delete: { query } }, options);
}

/** Makes all writes visible to searches. */
export async function commit(client: SolrClient, collection: string): Promise<void> {
  const body = { commit: { waitSearcher: true } };
  await update(client, collection, body, { deadlineMs: COMMIT_DEADLINE_MS });
}

async function get(
  client: SolrClient,
  collection: string,
  ids: readonly string[],
  fields: string,
): Promise<Document[]> {
  const { response } = await client({
    path: `${collection}/get`,
    // One parameter per id: a comma-separated list would split ids that contain commas.
    body: JSON.stringify({ params: { id: ids, fl: fields } }),
    // For a single id Solr answers in another form unless `ids` is present.
    query: ids.length === 1 ? { ids: '' } : {},
    schema: got,
    parse: parseExactly,
  });
  return response.docs;
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
  // Overrides defaults of the collection's handler, such as another parser or partial answers.
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
