/** Reads documents of one index: by id (newest state), and by search (what the last refresh made visible). */
import { z } from 'zod';
import type { JsonClient } from '../../http/json-client.ts';
import { JobError } from '../../job-error.ts';
import { parseExactly } from '../../sources/record-number.ts';
import type { Stamp, Stamps } from '../generations/compare.ts';
import { slices } from '../generations/slices.ts';
import { CLUSTER_DEADLINE_MS } from './client.ts';
import type { Document } from './document.ts';

const PAGE = 5_000;
const IDS_AT_ONCE = 1_000;
/** Whole documents may be large. */
const DOCUMENTS_AT_ONCE = 100;

/** The servers do not name an unassigned shard as failed: `allow_partial_search_results` refuses that. */
export const wholeShards = z.object({ failed: z.literal(0) });
export const WHOLE = { allow_partial_search_results: 'false' };
const refreshed = z.object({ _shards: wholeShards });
const total = z.object({ value: z.number() });
const counted = z.object({
  timed_out: z.literal(false),
  _shards: wholeShards,
  hits: z.object({ total }),
});
const page = z.object({
  timed_out: z.literal(false),
  _shards: wholeShards,
  hits: z.object({
    total: total.optional(),
    hits: z.array(
      z.object({
        _id: z.string(),
        sort: z.tuple([z.string().nullable()]),
        fields: z.object({ updated_at: z.tuple([z.coerce.number()]) }).optional(),
      }),
    ),
  }),
});
const got = z.object({
  docs: z.array(
    z.object({
      _id: z.string(),
      found: z.boolean().default(false),
      /** Its shard is not there. */
      error: z.object({ type: z.string() }).optional(),
      _source: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
});

/** Makes all writes visible to searches. */
export async function refresh(client: JsonClient, index: string): Promise<void> {
  const deadlineMs = CLUSTER_DEADLINE_MS;
  await client({ method: 'POST', path: `${index}/_refresh`, schema: refreshed, deadlineMs });
}

/** Counts visible documents. */
export async function countDocuments(client: JsonClient, index: string): Promise<number> {
  return await count(client, index, { match_all: {} });
}

/** Not by `_count`, which answers for the shards that are there. */
async function count(client: JsonClient, index: string, query: object): Promise<number> {
  const body = JSON.stringify({ query, size: 0, track_total_hits: true });
  const answer = await client({ path: `${index}/_search`, query: WHOLE, body, schema: counted });
  return answer.hits.total.value;
}

/** Counts the visible documents with these ids. */
export async function countFound(client: JsonClient, index: string, ids: readonly string[]): Promise<number> {
  let found = 0;
  for (const some of slices([...new Set(ids)], IDS_AT_ONCE))
    found += await count(client, index, { ids: { values: some } });
  return found;
}

/**
 * Streams the stamps of all visible documents. Pages by the last id, which is exact since nobody else writes meanwhile.
 * @throws JobError if another program has written documents of another form
 */
export async function* streamStamps(client: JsonClient, index: string): Stamps {
  let seen = 0;
  let promised = 0;
  for (let after: string | null = null; ; ) {
    const { hits, total: told } = await searchPage(client, index, after);
    if (after === null) promised = told?.value ?? 0;
    for (const { _id: id, sort } of hits) if (sort[0] !== id) throw notOurs(index);
    seen += hits.length;
    if (hits.length > 0) yield hits.map(({ _id: id, fields }) => stampOf(id, fields?.updated_at[0]));
    after = hits.at(-1)?._id ?? null;
    if (hits.length < PAGE || after === null) break;
  }
  if (seen !== promised) throw notOurs(index);
}

async function searchPage(
  client: JsonClient,
  index: string,
  after: string | null,
): Promise<z.infer<typeof page>['hits']> {
  const body = {
    size: PAGE,
    sort: [{ id: 'asc' }],
    _source: false,
    docvalue_fields: [{ field: 'updated_at', format: 'epoch_millis' }],
    track_total_hits: after === null,
    ...(after !== null && { search_after: [after] }),
  };
  const answer = await client({
    path: `${index}/_search`,
    query: WHOLE,
    body: JSON.stringify(body),
    schema: page,
  });
  return answer.hits;
}

function stampOf(id: string, updatedAt: number | undefined): Stamp {
  return { id, updatedAt: updatedAt ?? null };
}

function notOurs(index: string): JobError {
  return new JobError(
    'failed',
    `sink: ${index} holds documents whose field id is not their _id, or changes while it is read: another program writes to ` +
      'it. Nothing was changed; stop that program and remove its documents',
  );
}

/** Reads the stamps of existing documents among these ids, visible or not. */
export async function readStamps(
  client: JsonClient,
  index: string,
  ids: readonly string[],
): Promise<Map<string, Stamp>> {
  const there = new Map<string, Stamp>();
  for (const some of slices(ids, IDS_AT_ONCE)) {
    for (const { id, source } of await get(client, index, some, { _source: 'updated_at' })) {
      const at = source['updated_at'];
      there.set(id, stampOf(id, typeof at === 'string' ? Date.parse(at) : undefined));
    }
  }
  return there;
}

export type Found = { readonly id: string; readonly source: Document };

/** Reads the existing documents among these ids, visible or not; numbers keep their digits. */
export async function readDocuments(
  client: JsonClient,
  index: string,
  ids: readonly string[],
): Promise<Found[]> {
  const there: Found[] = [];
  for (const some of slices(ids, DOCUMENTS_AT_ONCE)) there.push(...(await get(client, index, some, {})));
  return there;
}

async function get(
  client: JsonClient,
  index: string,
  ids: readonly string[],
  query: Readonly<Record<string, string>>,
): Promise<Found[]> {
  const body = JSON.stringify({ ids });
  const { docs } = await client({ path: `${index}/_mget`, query, body, schema: got, parse: parseExactly });
  const type = docs.find(({ error }) => error)?.error?.type;
  if (type !== undefined) {
    const why = `sink: OpenSearch ${index}/_mget answered ${type} for a document`;
    throw new JobError('sinkUnreachable', `${why}; wait until all shards are there, then run the job again`);
  }
  return docs.flatMap(({ _id: id, found, _source: source = {} }) => (found ? [{ id, source }] : []));
}
