/** Keeps copies of removed documents in the collection `<app>-syncrator-removed`, as the JSON text of each. */
import { z } from 'zod';
import { isMissing, ServerRefusal } from '../../http/json-client.ts';
import { JobError } from '../../job-error.ts';
import { isAfter } from '../../sources/byte-order.ts';
import { parseExactly } from '../../sources/record-number.ts';
import type { RejectedRecord } from '../../sources/source.ts';
import {
  type Copy,
  copyFacts,
  type CopyFacts,
  type CopyQuery,
  type CopyStore,
} from '../generations/removed-copies.ts';
import { slices } from '../generations/slices.ts';
import type { Solr } from './aliases.ts';
import { createWholeReader } from './carry-over.ts';
import { listAliases } from './collections.ts';
import type { Document } from './document.ts';
import { commit, countDocuments, deleteDocuments, deleteFound, readDocuments } from './documents.ts';
import { makeCollection } from './make-collection.ts';
import { inPieces, joined } from './state-store.ts';
import { addOrReject } from './write-records.ts';

const PAGE = 1_000;
/** Below Solr's limit of clauses per query. */
const SEARCHED_AT_ONCE = 100;
/** The names by which a rollback may call a job. */
const JOB_FIELDS = ['uid_s', 'number_s'];
/** Whole documents may be large. */
const RESTORED_AT_ONCE = 100;

const found = z.object({
  responseHeader: z.object({ partialResults: z.literal(false).optional() }).optional(),
  response: z.object({
    numFound: z.number(),
    docs: z.array(
      z.object({
        id: z.string(),
        facts_s: z.string().transform((text) => copyFacts.parse(JSON.parse(text))),
      }),
    ),
  }),
  nextCursorMark: z.string().optional(),
});
type Answer = z.infer<typeof found>;

function copiesOf(app: string): string {
  return `${app}-syncrator-removed`;
}

/** @param live the collection that readers see */
export function createCopyStore(solr: Solr, live: string): CopyStore {
  const { client, names, store, log } = solr;
  const name = copiesOf(names.primary);
  const readWhole = createWholeReader(client, live, log);
  return {
    prepare: () => prepare(solr),
    readLive: readWhole,
    async write(copies) {
      await store.read();
      return await addOrReject(client, name, copies.map(asStored));
    },
    makeVisible: () => commit(client, name),
    isThere: async () => (await findPlace(solr)) === 'ours',
    count: () => countDocuments(client, name),
    stream: (query) => stream(solr, query),
    async end(which) {
      const sort = which === 'oldest' ? 'at_s asc' : 'at_s desc';
      const answer = await search(solr, { query: COPIES, sort, limit: 1 });
      return answer?.response.docs[0]?.facts_s.job ?? null;
    },
    async remove(keys) {
      await store.read();
      await deleteDocuments(client, name, keys);
    },
    restore: (copies) => restore(solr, live, copies),
  };
}

/** Every copy has it. */
const COPIES = 'facts_s:*';

/** What has the name of the copies. Solr cannot mark a collection as ours: its documents do. */
async function findPlace(solr: Solr): Promise<'ours' | 'missing' | 'foreign'> {
  const { client, names } = solr;
  const name = copiesOf(names.primary);
  const copies = await countCopies(solr);
  if (copies === null) return 'missing';
  const listed = Object.entries(await listAliases(client));
  if (listed.some(([alias]) => alias === name)) return 'foreign';
  if (copies > 0) return 'ours';
  const isRead = listed.some(([, collections]) => collections.split(',').includes(name));
  return isRead || (await countDocuments(client, name)) > 0 ? 'foreign' : 'ours';
}

/** null: there is no collection. */
async function countCopies(solr: Solr): Promise<number | null> {
  try {
    return (await search(solr, { query: COPIES, limit: 0 }))?.response.numFound ?? null;
  } catch (error) {
    // Its schema lacks the field.
    if (error instanceof ServerRefusal && error.status === 400) return 0;
    throw error;
  }
}

/** @throws JobError `sinkReplaced` */
async function prepare(solr: Solr): Promise<void> {
  const { client, names } = solr;
  const name = copiesOf(names.primary);
  if ((await findPlace(solr)) === 'foreign')
    throw new JobError(
      'sinkReplaced',
      `Solr: ${name} belongs to somebody else, as a collection or as an alias, and copies of removed records need that name. ` +
        'Nothing was removed; delete or rename it',
    );
  await makeCollection(solr, name, () => countDocuments(client, name));
}

/** Deletes all copies, and nothing of somebody else. */
export async function deleteCopies(solr: Solr): Promise<void> {
  const { client, names, store } = solr;
  if ((await findPlace(solr)) !== 'ours') return;
  await store.read();
  await deleteFound(client, copiesOf(names.primary), COPIES);
}

/** In fields of the form `*_s`, which every configset of a state has. */
function asStored({ key, id, job, document }: Copy): Document {
  return {
    id: key,
    record_id_s: id,
    at_s: job.at,
    ...(job.job_uid !== null && { uid_s: job.job_uid }),
    ...(job.job_id !== null && { number_s: String(job.job_id) }),
    facts_s: JSON.stringify({ id, job }),
    ...inPieces(JSON.stringify(document)),
  };
}

async function* stream(solr: Solr, query: CopyQuery): AsyncGenerator<readonly CopyFacts[]> {
  if ((await findPlace(solr)) !== 'ours') return;
  for (const one of queriesOf(query))
    for (let cursorMark = '*'; ; ) {
      const answer = await search(solr, {
        query: one,
        filter: COPIES,
        sort: 'record_id_s asc, at_s asc, id asc',
        limit: PAGE,
        params: { cursorMark },
      });
      const { docs } = answer?.response ?? { docs: [] };
      if (docs.length > 0) yield docs.map(({ id: key, facts_s: facts }) => ({ ...facts, key }));
      const next = answer?.nextCursorMark;
      if (next === undefined || next === cursorMark) break;
      cursorMark = next;
    }
}

/** Their results follow each other in byte order of the ids. */
function queriesOf(query: CopyQuery): (object | string)[] {
  if ('until' in query) return [`at_s:[* TO "${query.until}"]`];
  if ('job' in query)
    return [{ bool: { should: JOB_FIELDS.map((f) => ({ raw: { f, query: query.job } })) } }];
  const sorted = query.ids.toSorted((one, other) => (isAfter(one, other) ? 1 : -1));
  return [...slices(sorted, SEARCHED_AT_ONCE)].map((some) => ({
    bool: { should: some.map((id) => ({ raw: { f: 'record_id_s', query: id } })) },
  }));
}

/** null: there is no collection. */
async function search(
  { client, names }: Solr,
  { params, ...body }: { params?: Record<string, string>; [field: string]: unknown },
): Promise<Answer | null> {
  try {
    return await client({
      path: `${copiesOf(names.primary)}/select`,
      body: JSON.stringify({
        fields: ['id', 'facts_s'],
        ...body,
        params: { defType: 'lucene', 'shards.tolerant': 'false', ...params },
      }),
      schema: found,
    });
  } catch (error) {
    if (!isMissing(error)) throw error;
    return null;
  }
}

async function restore(solr: Solr, live: string, copies: readonly CopyFacts[]): Promise<RejectedRecord[]> {
  const { client, names, store } = solr;
  const name = copiesOf(names.primary);
  const refused: RejectedRecord[] = [];
  for (const some of slices(copies, RESTORED_AT_ONCE)) {
    const keys = some.map(({ key }) => key);
    const there = new Map((await readDocuments(client, name, keys)).map((copy) => [copy.id, copy]));
    const documents = keys.map((key) => documentIn(there.get(key), name));
    await store.read();
    refused.push(...(await addOrReject(client, live, documents)));
  }
  return refused;
}

function documentIn(copy: Document | undefined, name: string): Document {
  if (copy) return parseExactly(joined(copy)) as Document;
  throw new JobError('failed', `sink: a copy in ${name} was removed meanwhile; run the rollback again`);
}
