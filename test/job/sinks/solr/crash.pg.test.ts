import { afterAll, beforeAll, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { type Solr, startSolr } from '../../../support/solr/solr.ts';
import { someRows } from '../../support/fake-source.ts';
import { namesOf } from '../../support/setup.ts';
import { type SolrSetup, solrSetup } from '../../support/solr-setup.ts';

let solr: Solr;
beforeAll(async () => {
  solr = await startSolr();
}, 660_000); // the first run gets Solr from Maven Central
afterAll(() => solr?.stop());

const rows = (name: string) => someRows(30).map((row) => ({ ...row, name }));

/**
 * Spawns the program and kills it once Solr has done its `nth` change, whose answer is lost.
 * @returns how it ended
 */
async function killedAfter(t: SolrSetup, options: string, nth: number): Promise<number | null> {
  let changes = 0;
  const { child, ended } = t.spawn(options);
  t.proxy.after = ({ method, path, query }) => {
    const changing =
      (method === 'POST' && path.endsWith('/update')) || /CREATE|DELETE/.test(query['action'] ?? '');
    if (!changing) return undefined;
    changes += 1;
    if (changes < nth) return undefined;
    child.kill('SIGKILL');
    return 'cut';
  };
  const { code } = await ended;
  t.proxy.after = null;
  return code;
}

/** Readers must always see one whole generation. */
async function expectWhole(t: SolrSetup, where: string): Promise<void> {
  const seen = Object.values(await t.names());
  expect([...new Set(seen)], where).toHaveLength(1);
  expect(seen, where).toHaveLength(30);
}

it('a sync killed after any of its changes leaves a complete generation to readers, and the next sync succeeds', {
  timeout: 300_000,
}, async () => {
  await using t = await solrSetup(solr, rows('0'));
  expect((await t.run('sync')).code).toBe(EXIT.ok);
  let nth = 0;
  for (let code: number | null = null; code === null; ) {
    nth += 1;
    t.source.put(...rows(String(nth)));
    const saved = t.receiver.reports.length;
    code = await killedAfter(t, 'sync -n 10', nth);
    await expectWhole(t, `killed after change ${nth}`);
    const checkpoint = t.receiver.reports.slice(saved).at(-1)?.checkpoint;
    const again = await t.run('sync -n 10', { SYNCRATOR_CHECKPOINT: JSON.stringify(checkpoint ?? null) });
    expect(again, `after change ${nth}`).toMatchObject({ code: EXIT.ok });
    expect(await t.names(), `after change ${nth}`).toEqual(namesOf(rows(String(nth))));
    const { primary, standby, loading } = await t.aliases();
    expect(new Set([primary, standby]), `after change ${nth}`).toEqual(new Set(['a', 'b']));
    expect(loading).toBeNull();
    expect((await t.state())['move']).toBeNull();
  }
  // claim, begin, empty, alias, 3 batches with their cursors, commits of both, the move, 3 aliases, its end
  expect(nth).toBeGreaterThanOrEqual(14);
});

it('a rollback killed after any of its changes is completed exactly once by the next attempt', {
  timeout: 120_000,
}, async () => {
  await using t = await solrSetup(solr, rows('old'));
  await t.run('sync');
  t.source.put(...rows('new'));
  await t.run('sync');
  let nth = 0;
  for (let code: number | null = null; code === null; ) {
    nth += 1;
    const before = await t.names();
    // Each rollback undoes the one before it.
    const back = `rollback --api_job_id ${nth}${nth > 1 ? ` --before ${nth - 1}` : ''}`;
    code = await killedAfter(t, back, nth);
    await expectWhole(t, `killed after change ${nth}`);
    expect((await t.run(back)).code, `after change ${nth}`).toBe(EXIT.ok);
    await expectWhole(t, `after change ${nth}`);
    expect(await t.names(), `after change ${nth}`).not.toEqual(before);
    expect(await t.names(`${t.app}-standby`), `after change ${nth}`).toEqual(before);
  }
  // claim, intent, three aliases, end
  expect(nth).toBeGreaterThanOrEqual(6);
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
  expect(await killedAfter(t, 'sync -n 10', 5)).toBeNull();
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

it.each(['delta', 'delete'])(
  'a %s killed after any of its changes is completed by the next attempt',
  { timeout: 240_000 },
  async (action) => {
    await using t = await solrSetup(solr, rows('0'));
    await t.run('sync');
    let nth = 0;
    for (let code: number | null = null; code === null; ) {
      nth += 1;
      t.source.put(...rows(String(nth)).map((row) => ({ ...row, updated_at: new Date().toISOString() })));
      t.source.rows.delete(`r000${10 + nth}`);
      if (action === 'delete') await t.run('delta');
      const step = `${action} -n 10 --api_job_id ${nth}`;
      code = await killedAfter(t, step, nth);
      const again = await t.run(step, { SYNCRATOR_ATTEMPT: '2' });
      expect(again, `after change ${nth}`).toMatchObject({ code: EXIT.ok });
      if (action === 'delta') await t.run('delete');
      expect(await t.names(), `after change ${nth}`).toEqual(namesOf(t.source.rows.values()));
    }
    expect(nth).toBeGreaterThanOrEqual(action === 'delta' ? 10 : 4);
  },
);
