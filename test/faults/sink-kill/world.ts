/** The table before each story: two syncs have completed, and the source will change. Computes what each job owes. */
import { Client } from 'pg';
import type { SourceRecord } from '../../../src/job/sources/source.ts';
import { type Attempt, attempt } from '../../job/support/attempt.ts';
import { named, type Rows, rowsOf } from '../../job/support/live-rows.ts';
import { memorySource } from '../../job/support/memory-source.ts';
import type { Random } from '../random.ts';
import { NEIGHBOURHOOD } from './neighbourhood.ts';
import type { Database, Server } from './server.ts';

const SIZE = 30;
export const BATCH = 8;

export type World = {
  readonly template: Database;
  readonly first: readonly SourceRecord[];
  readonly second: readonly SourceRecord[];
};

export async function makeWorld(server: Server): Promise<World> {
  const template = await server.database();
  const client = new Client({ connectionString: template.url });
  await client.connect();
  await client.query(NEIGHBOURHOOD);
  await client.end();
  const { first, second } = makeRecords();
  const source = memorySource(first);
  await attempt({ url: template.url, action: 'sync', job: 1, source });
  source.put(second);
  await attempt({ url: template.url, action: 'sync', job: 2, source });
  return { template, first, second: source.records };
}

/** The records of both syncs. */
export function makeRecords(): Pick<World, 'first' | 'second'> {
  const first = Array.from({ length: SIZE }, (_, nth) => named(`r${100 + nth}`, 'first'));
  const now = new Date().toISOString();
  const second = [
    ...first.slice(2, -1),
    named(`r${100 + SIZE - 1}`, 'second', now),
    named('added', 'second', now),
  ];
  return { first, second };
}

/** The data of the second attempt, which began earlier: some of the changes. */
export function olderThan(now: readonly SourceRecord[], random: Random): SourceRecord[] {
  return changed(now, random, { word: 'older', update: 3, add: 2, remove: 0 });
}

/** The data of the present job: all of the changes. */
export function newest(older: readonly SourceRecord[], random: Random): SourceRecord[] {
  return changed(older, random, {
    word: 'newest',
    update: random.integer(1, 4),
    add: random.integer(0, 3),
    remove: 2,
  });
}

/** Only records that existed from the first disappear: a delta could not remove what an older attempt has added. */
function changed(
  records: readonly SourceRecord[],
  random: Random,
  { word, update, add, remove }: { word: string; update: number; add: number; remove: number },
): SourceRecord[] {
  const at = new Date().toISOString();
  const [gone, left] = [
    random.shuffled(records.filter(isOld)).slice(0, remove),
    new Map<string, SourceRecord>(),
  ];
  for (const record of records) if (!gone.includes(record)) left.set(record.id, record);
  for (const { id } of random.shuffled([...left.values()]).slice(0, update))
    left.set(id, named(id, word, at));
  for (let nth = 0; nth < add; nth += 1) left.set(`${word}${nth}`, named(`${word}${nth}`, word, at));
  return [...left.values()];
}

function isOld({ record }: SourceRecord): boolean {
  return record['name'] === 'first';
}

/** The table after a job that ended well. */
export function owedAfter(
  action: Attempt['action'],
  { live, source, first }: { live: Rows; source: readonly SourceRecord[]; first: readonly SourceRecord[] },
): Rows {
  const listed = rowsOf(source);
  switch (action) {
    case 'sync':
      return listed;
    case 'delta':
      return new Map([...live, ...listed]);
    case 'delete':
      return new Map([...live].filter(([id]) => listed.has(id)));
    case 'rollback':
      return rowsOf(first);
    case 'remove':
    case 'forget-record':
      // Nothing is held here, and what is live stays.
      return live;
  }
}
