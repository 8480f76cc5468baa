import { afterAll, beforeAll, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import type { Passing } from '../../../support/bending-proxy.ts';
import { type OpenSearch, startOpenSearch } from '../../../support/opensearch/opensearch.ts';
import { someRows } from '../../support/fake-source.ts';
import { type OpenSearchSetup, openSearchSetup } from '../../support/opensearch-setup.ts';
import { namesOf } from '../../support/setup.ts';
import { killedAfter, rows, testKills } from '../conformance/kills-after-changes.ts';

let server: OpenSearch;
beforeAll(async () => {
  server = await startOpenSearch();
}, 660_000); // the first run gets OpenSearch from Maven Central
afterAll(() => server?.stop());

const isChange = ({ method, path }: Passing): boolean =>
  method === 'PUT' || method === 'DELETE' || /_bulk$|_aliases$/.test(path);

testKills<OpenSearchSetup>('OpenSearch', {
  setup: (of) => openSearchSetup(server, of),
  isChange,
  async settled(t) {
    const { move, load, obsolete, generations, dropped_sets: dropped } = await t.state();
    expect({ move, load, obsolete, dropped }).toEqual({ move: null, load: null, obsolete: [], dropped: [] });
    const sets = Object.values(generations).map(({ held }) => held?.pieces ?? 0);
    expect(await t.pieces(), 'the lists of both').toHaveLength(sets.reduce((sum, count) => sum + count, 0));
    expect(await t.indexes(), 'the live one and the one kept').toEqual(Object.keys(generations).toSorted());
    expect((await t.indexes()).length).toBeLessThanOrEqual(2);
  },
  // sync: claim, write alias, load, index, 3 batches with their cursors, the move, the alias, its end, 2 for what is left;
  // rollback: claim, write alias, intent, alias, end
  least: { sync: 15, rollback: 5, delta: 9, delete: 4, hold: 17, remove: 6 },
});

it('a load killed in the middle resumes from its checkpoint, in the same index', async () => {
  await using t = await openSearchSetup(server, someRows(300));
  t.source.pageSize = 100;
  t.source.bend = ({ query }) => (query['after'] === 'r00200' ? new Promise<Response>(() => {}) : undefined);
  const { child, ended } = t.spawn('sync -n 50 --api_job_id 5');
  await expect.poll(() => t.receiver.reports.at(-1)?.records_done, { timeout: 20_000 }).toBe(200);
  const [index] = await t.indexes();
  child.kill('SIGKILL');
  await ended;
  const saved = JSON.stringify(t.receiver.reports.at(-1)?.checkpoint);
  t.source.bend = null;
  t.source.requests.length = 0;
  expect((await t.run('sync -n 50 --api_job_id 6', { SYNCRATOR_CHECKPOINT: saved })).code).toBe(EXIT.ok);
  const listed = t.source.requests.filter((query) => query['fields'] === undefined);
  expect((listed[0]?.['after'] ?? '') >= 'r00150').toBe(true);
  expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  expect(await t.live()).toBe(index);
});

it('an interrupted rollback is completed, not undone, by a stand-alone run', async () => {
  await using t = await openSearchSetup(server, rows('old'));
  await t.run('sync');
  t.source.put(...rows('new'));
  await t.run('sync');
  t.proxy.after = ({ path, body }) =>
    path === '_aliases' && body.includes(`"alias":"${t.alias}"`) ? { status: 500 } : undefined;
  expect((await t.run('rollback')).code).toBe(EXIT.failed);
  t.proxy.after = null;
  expect((await t.run('rollback')).code).toBe(EXIT.ok);
  expect(await t.names()).toEqual(namesOf(rows('old')));
});

it('a rollback goes back while a load is under way, and after one that failed', async () => {
  await using t = await openSearchSetup(server, rows('old'));
  await t.run('sync');
  t.source.put(...rows('new'));
  await t.run('sync');
  // claim, write alias, load, index, first batch
  expect(await killedAfter(t, isChange, 'sync -n 10', 5)).toBeNull();
  expect(await t.indexes()).toHaveLength(3);
  expect((await t.run('rollback')).code).toBe(EXIT.ok);
  expect(await t.names()).toEqual(namesOf(rows('old')));
  expect((await t.run('sync')).code).toBe(EXIT.ok);
  expect(await t.indexes()).toHaveLength(2);
});

it('a load from before a rollback is not resumed: what it carried over is undone', async () => {
  await using t = await openSearchSetup(server, rows('old'));
  await t.run('sync');
  t.source.put(...rows('new'));
  await t.run('sync');
  const begin = { mode: 'everything', since: null, began: new Date(), resume: null } as const;
  const before = t.sink();
  await before.open();
  const load = await before.beginLoad(begin);
  const carried = { records: [], listed: ['r00001'], from: null, to: 'r00001' };
  await before.loadBatch(load, carried, Promise.resolve());
  expect((await t.run('rollback')).code).toBe(EXIT.ok);
  expect(await t.indexes()).toHaveLength(2);
  const after = t.sink();
  await after.open();
  expect(await after.beginLoad({ ...begin, resume: load.id })).toMatchObject({
    resumed: false,
    cursor: null,
  });
});
