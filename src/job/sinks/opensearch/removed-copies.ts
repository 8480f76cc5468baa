/** Keeps copies of removed documents in the index `<alias>-syncrator-removed`, whole and not indexed. */
import { z } from 'zod';
import { isMissing } from '../../http/json-client.ts';
import { JobError } from '../../job-error.ts';
import type { RejectedRecord } from '../../sources/source.ts';
import {
  copyFacts,
  type CopyFacts,
  type CopyQuery,
  type CopyStore,
  namesOf,
} from '../generations/removed-copies.ts';
import { slices } from '../generations/slices.ts';
import type { OpenSearch } from './alias.ts';
import { removalOf, sendBulk, type Target, write } from './bulk.ts';
import { AS_IT_IS } from './copy-live.ts';
import type { Document } from './document.ts';
import { countDocuments, readDocuments, refresh, WHOLE, wholeShards } from './documents.ts';
import { createIndex, lookUp } from './indexes.ts';
import { takeWriteAlias } from './write-alias.ts';

const PAGE = 1_000;

/** `document` may have any form, and is not searched. */
const BODY = {
  settings: { index: { number_of_shards: 1, auto_expand_replicas: '0-1' } },
  mappings: {
    dynamic: false,
    properties: {
      id: { type: 'keyword' },
      at: { type: 'date' },
      /** The names by which a rollback may call the job. */
      names: { type: 'keyword' },
      document: { type: 'object', enabled: false },
    },
  },
};

const found = z.object({
  timed_out: z.literal(false),
  _shards: wholeShards,
  hits: z.object({
    hits: z.array(z.object({ _id: z.string(), _source: copyFacts, sort: z.array(z.unknown()) })),
  }),
});
type Hits = z.infer<typeof found>['hits']['hits'];

export function copiesOf(alias: string): string {
  return `${alias}-syncrator-removed`;
}

/** @param live the index that readers see */
export function createCopyStore(sink: OpenSearch, live: string): CopyStore {
  const { client, alias, store } = sink;
  const name = copiesOf(alias);
  const target = async (): Promise<Target> => ({ index: name, epoch: (await store.read()).epoch });
  return {
    prepare: () => prepare(sink),
    async readLive(ids) {
      const documents = await readDocuments(client, live, ids);
      return { whole: documents.map(({ id, source }) => ({ id, document: source })), partial: 0 };
    },
    async write(copies) {
      const to = await target();
      const operations = copies.map(({ key, id, job, document }) =>
        write(key, { id, at: job.at, names: namesOf(job), job, document }, to, AS_IT_IS),
      );
      return await sendBulk(sink, to, operations);
    },
    makeVisible: () => refresh(client, name),
    isThere: async () => (await findPlace(sink)) === 'ours',
    count: () => countDocuments(client, name),
    stream: (query) => stream(sink, query),
    async end(which) {
      const order = which === 'oldest' ? 'asc' : 'desc';
      return (await search(sink, { size: 1, sort: [{ at: order }] }))[0]?._source.job ?? null;
    },
    async remove(keys) {
      const [refused] = await sendBulk(sink, await target(), keys.map(removalOf));
      if (refused) throw new JobError('failed', `sink: ${name} keeps a document: ${refused.why}`);
    },
    restore: (copies) => restore(sink, live, copies),
  };
}

/** What has the name of the copies. */
export async function findPlace({
  client,
  alias,
}: Pick<OpenSearch, 'client' | 'alias'>): Promise<'ours' | 'missing' | 'foreign'> {
  const name = copiesOf(alias);
  const found = await lookUp(client, name);
  if (found.length === 0) return 'missing';
  // The name may also be an alias of another index.
  return found.every((index) => index.name === name && index.madeFor === alias) ? 'ours' : 'foreign';
}

/** Makes the index, and this run its only writer. @throws JobError `sinkReplaced` */
async function prepare(sink: OpenSearch): Promise<void> {
  const { client, alias, store } = sink;
  const name = copiesOf(alias);
  const there = await findPlace(sink);
  if (there === 'foreign')
    throw new JobError(
      'sinkReplaced',
      `OpenSearch: ${name} is an index of somebody else, or an alias, and copies of removed records need that name. Nothing was ` +
        'removed; delete or rename it',
    );
  if (there === 'missing') {
    await store.read();
    await createIndex(client, name, {
      ...BODY,
      mappings: { ...BODY.mappings, _meta: { syncrator: { alias } } },
    });
  }
  await takeWriteAlias(sink, name);
}

async function* stream(sink: OpenSearch, query: CopyQuery): AsyncGenerator<readonly CopyFacts[]> {
  if ((await findPlace(sink)) !== 'ours') return;
  const body = { size: PAGE, query: filterOf(query), sort: [{ id: 'asc' }, { at: 'asc' }] };
  for (let after: readonly unknown[] | null = null; ; ) {
    const hits: Hits = await search(sink, { ...body, ...(after && { search_after: after }) });
    if (hits.length > 0) yield hits.map(({ _id: key, _source: facts }) => ({ ...facts, key }));
    after = hits.at(-1)?.sort ?? null;
    if (hits.length < PAGE || after === null) return;
  }
}

function filterOf(query: CopyQuery): object {
  if ('ids' in query) return { terms: { id: query.ids } };
  if ('job' in query) return { term: { names: query.job } };
  return { range: { at: { lte: query.until } } };
}

/** Finds nothing without the index. */
async function search({ client, alias }: OpenSearch, body: object): Promise<Hits> {
  try {
    const answer = await client({
      path: `${copiesOf(alias)}/_search`,
      query: WHOLE,
      body: JSON.stringify({ _source: { excludes: ['document'] }, ...body }),
      schema: found,
    });
    return answer.hits.hits;
  } catch (error) {
    if (!isMissing(error)) throw error;
    return [];
  }
}

/** Whole documents may be large. */
const RESTORED_AT_ONCE = 100;

async function restore(
  sink: OpenSearch,
  live: string,
  copies: readonly CopyFacts[],
): Promise<RejectedRecord[]> {
  const { client, alias, store } = sink;
  const refused: RejectedRecord[] = [];
  for (const some of slices(copies, RESTORED_AT_ONCE)) {
    const keys = some.map(({ key }) => key);
    const documents = new Map(
      (await readDocuments(client, copiesOf(alias), keys)).map(({ id: key, source }) => [key, source]),
    );
    const { epoch } = await store.read();
    const target = { index: live, epoch };
    const operations = some.map(({ key, id }) =>
      write(id, documentIn(documents.get(key), copiesOf(alias)), target, AS_IT_IS),
    );
    refused.push(...(await sendBulk(sink, target, operations)));
  }
  return refused;
}

function documentIn(copy: Document | undefined, name: string): object {
  const document = copy?.['document'];
  if (typeof document === 'object' && document !== null) return document;
  throw new JobError('failed', `sink: a copy in ${name} was removed meanwhile; run the rollback again`);
}
