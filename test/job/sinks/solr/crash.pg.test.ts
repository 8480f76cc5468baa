import { afterAll, beforeAll, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import type { State } from '../../../../src/job/sinks/solr/state.ts';
import type { Passing } from '../../../support/bending-proxy.ts';
import { type Solr, startSolr } from '../../../support/solr/solr.ts';
import { someRows } from '../../support/fake-source.ts';
import { namesOf } from '../../support/setup.ts';
import { expectWhole, killedAfter, rows, testKills } from '../conformance/kills-after-changes.ts';
import { type SolrSetup, solrSetup } from '../../support/solr-setup.ts';

let solr: Solr;
beforeAll(async () => {
  solr = await startSolr();
}, 660_000); // the first run gets Solr from Maven Central
afterAll(() => solr?.stop());

const isChange = ({ method, path, query }: Passing): boolean =>
  (method === 'POST' && path.endsWith('/update')) || /CREATE|DELETE/.test(query['action'] ?? '');

testKills<SolrSetup>('Solr', {
  setup: (of) => solrSetup(solr, of),
  isChange,
  async settled(t) {
    const { primary, standby, loading } = await t.aliases();
    expect(new Set([primary, standby])).toEqual(new Set(['a', 'b']));
    expect(loading).toBeNull();
    const { move, generations, dropped_sets: dropped } = await t.state();
    expect({ move, dropped }).toEqual({ move: null, dropped: [] });
    const sets = Object.values(generations as State['generations']).map(({ held }) => held?.pieces ?? 0);
    expect(await t.pieces(), 'the lists of both').toHaveLength(sets.reduce((sum, count) => sum + count, 0));
  },
  // sync: claim, begin, empty, alias, 3 batches with their cursors, commits of both, the move, 3 aliases, its end;
  // rollback: claim, intent, three aliases, end
  least: { sync: 14, rollback: 6, delta: 10, delete: 4, hold: 17, remove: 6 },
});

it('an interrupted rollback is completed, not undone, by a stand-alone run', async () => {
  await using t = await solrSetup(solr, rows('old'));
  await t.run('sync');
  t.source.put(...rows('new'));
  await t.run('sync');
  t.proxy.after = ({ query }) =>
    query['action'] === 'CREATEALIAS' && query['name'] === t.app ? { status: 500 } : undefined;
  expect((await t.run('rollback')).code).toBe(EXIT.failed);
  t.proxy.after = null;
  expect((await t.run('rollback')).code).toBe(EXIT.ok);
  expect(await t.names()).toEqual(namesOf(rows('old')));
  expect(await t.aliases()).toMatchObject({ primary: 'b', standby: 'a' });
});

it('an interrupted switch is completed by the next run', async () => {
  await using t = await solrSetup(solr, rows('old'));
  await t.run('sync');
  t.source.put(...rows('new'));
  // The primary was moved, the standby was not.
  t.proxy.after = ({ query }) =>
    query['action'] === 'CREATEALIAS' && query['name'] === t.app ? { status: 500 } : undefined;
  expect((await t.run('sync')).code).toBe(EXIT.failed);
  t.proxy.after = null;
  expect(await t.aliases()).toMatchObject({ primary: 'a', standby: 'a' });
  await expectWhole(t, 'half switched');
  expect((await t.run('delta')).code).toBe(EXIT.ok);
  expect(await t.aliases()).toEqual({ primary: 'a', standby: 'b', loading: null });
  expect(await t.names()).toEqual(namesOf(rows('new')));
});

it('equal primary and standby without a stored move are refused', async () => {
  await using t = await solrSetup(solr, rows('old'));
  await t.run('sync');
  await t.run('sync');
  const before = await t.names();
  await solr.alias(`${t.app}-standby`, `${t.app}_a`);
  for (const action of ['sync', 'rollback']) {
    expect((await t.run(action)).code).toBe(EXIT.notConfigured);
    expect(t.receiver.reports.at(-1)?.message).toMatch(
      /both point to catalogue\d+_a; point one at another collection/,
    );
  }
  expect(await t.names()).toEqual(before);
});

it('aliases that were moved by hand after a crash stay where they are', async () => {
  await using t = await solrSetup(solr, rows('old'));
  await t.run('sync');
  await solr.createCollection(`${t.app}_c`);
  await t.setState((state) => ({
    ...state,
    move: { kind: 'switch', primary: `${t.app}_a`, standby: `${t.app}_c` },
  }));
  expect((await t.run('delta')).code).toBe(EXIT.ok);
  expect(await t.aliases()).toMatchObject({ primary: 'b', standby: 'a' });
});

it('a rollback never restores an interrupted load', async () => {
  await using t = await solrSetup(solr, rows('old'));
  await t.run('sync');
  await t.run('sync');
  // claim, begin, empty, alias, first batch
  expect(await killedAfter(t, isChange, 'sync -n 10', 5)).toBeNull();
  await solr.call(`${t.app}-sync/update`, { commit: {} });
  expect(Object.keys(await t.names(`${t.app}-standby`))).toHaveLength(10);
  expect((await t.run('rollback')).code).toBe(EXIT.nothingToRollBack);
  await expectWhole(t, 'after the rollback');
});

it('a load killed in the middle resumes from its checkpoint', async () => {
  await using t = await solrSetup(solr, someRows(300));
  t.source.pageSize = 100;
  t.source.bend = ({ query }) => (query['after'] === 'r00200' ? new Promise<Response>(() => {}) : undefined);
  const { child, ended } = t.spawn('sync -n 50 --api_job_id 5');
  await expect.poll(() => t.receiver.reports.at(-1)?.records_done, { timeout: 20_000 }).toBe(200);
  child.kill('SIGKILL');
  await ended;
  const saved = JSON.stringify(t.receiver.reports.at(-1)?.checkpoint);
  t.source.bend = null;
  t.source.requests.length = 0;
  const again = await t.spawn('sync -n 50 --api_job_id 6', { SYNCRATOR_CHECKPOINT: saved }).ended;
  expect(again.code).toBe(EXIT.ok);
  const listed = t.source.requests.filter((query) => query['fields'] === undefined);
  expect((listed[0]?.['after'] ?? '') >= 'r00150').toBe(true);
  expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
});
