/** What Solr keeps of a plan: the standby of a sync, and lists and records beside the state. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { type Solr, startSolr } from '../../../support/solr/solr.ts';
import { someRows } from '../../support/fake-source.ts';
import { apply, makePlan, runJob } from '../../support/plan-setup.ts';
import { type SolrSetup, solrSetup } from '../../support/solr-setup.ts';
import { testKeptPlans } from '../conformance/plans-kept.ts';
import type { StoredState } from '../conformance/plans-left.ts';
import { expected, job, last, now } from '../conformance/tested-sink.ts';

let solr: Solr;
beforeAll(async () => {
  solr = await startSolr();
}, 660_000); // the first run gets Solr from Maven Central
afterAll(() => solr?.stop());

testKeptPlans<SolrSetup>('Solr', {
  setup: (rows) => solrSetup(solr, rows),
  isChange: ({ method, path, query }) =>
    (method === 'POST' && path.endsWith('/update')) || /CREATE|DELETE/.test(query['action'] ?? ''),
  changeState: (t, change) => t.setState((state) => change(state as StoredState)),
  async put(t, id, name) {
    await solr.call(`${t.app}/update?commit=true`, [{ id, updated_at_dt: now(), name }]);
  },
  async remove(t, id) {
    await solr.call(`${t.app}/update?commit=true`, { delete: [id] });
  },
  async everything(t) {
    for (const name of [`${t.app}-standby`, 'syncrator_state'])
      await solr.call(`${name}/update`, { commit: {} });
    const places = [t.app, `${t.app}-standby`, 'syncrator_state'];
    const documents = await Promise.all(places.map((place) => solr.documents(place)));
    const ours = documents.flat().filter(({ id, state_s }) => state_s === undefined || id.startsWith(t.app));
    return JSON.stringify([ours, await t.copies()]);
  },
});

it('a plan of a sync needs the option that lets it empty the standby', async () => {
  await using t = await solrSetup(solr, someRows(20));
  expect(await runJob(t, 1, 'sync')).toMatchObject({ code: EXIT.ok });
  const before = await t.aliases();
  expect(await runJob(t, 2, `plan -n 10 --of sync`)).toMatchObject({ code: EXIT.usage });
  expect(last(t)?.message).toContain('--switch_solr_alias');
  expect(await t.aliases()).toEqual(before);
});

it('while a plan of a sync waits in the standby, a rollback of the whole says so, and the plan stays', async () => {
  await using t = await solrSetup(solr, someRows(20));
  for (const nth of [1, 2]) expect(await runJob(t, nth, 'sync')).toMatchObject({ code: EXIT.ok });
  t.source.put({ id: 'new', updated_at: now(), name: 'new' });
  const made = await makePlan(t, 3, 'sync');
  expect(await runJob(t, 4, 'rollback')).toMatchObject({ code: EXIT.nothingToRollBack });
  expect(last(t)?.message).toContain('a plan of a sync has emptied the standby');
  expect(await apply(t, 5, made)).toMatchObject({ code: EXIT.ok });
  expect(await t.names()).toEqual(expected(t));
  await makePlan(t, 6, 'sync');
  expect(await runJob(t, 7, 'delta')).toMatchObject({ code: EXIT.ok });
  expect(await runJob(t, 8, 'rollback')).toMatchObject({ code: EXIT.nothingToRollBack });
  expect(last(t)?.message, 'nor once the plan is stale').toContain('its standby was emptied since');
  const before = await t.names();
  t.source.put({ id: 'newer', updated_at: now(), name: 'new' });
  expect(await runJob(t, 9, 'sync')).toMatchObject({ code: EXIT.ok });
  expect(await runJob(t, 10, 'rollback')).toMatchObject({ code: EXIT.ok });
  expect(await t.names(), 'the next sync makes it possible again').toEqual(before);
});

it('an apply is stale if the standby was moved by hand or its documents were changed', async () => {
  await using t = await solrSetup(solr, someRows(20));
  expect(await runJob(t, 1, 'sync')).toMatchObject({ code: EXIT.ok });
  t.source.put({ id: 'new', updated_at: now(), name: 'new' });
  const first = await makePlan(t, 2, 'sync');
  const before = await t.names();
  const { standby } = await t.aliases();
  await solr.call(`${t.app}-standby/update?commit=true`, { delete: ['new'] });
  expect(await apply(t, 3, first)).toMatchObject({ code: EXIT.planStale });
  const second = await makePlan(t, 4, 'sync');
  await solr.createCollection(`${t.app}_c`);
  await solr.alias(`${t.app}-standby`, `${t.app}_c`);
  expect(await apply(t, 5, second)).toMatchObject({ code: EXIT.planStale });
  expect(last(t)?.message).toContain('moved by hand');
  expect(await t.names()).toEqual(before);
  await solr.alias(`${t.app}-standby`, `${t.app}_${standby}`);
  expect(await apply(t, 6, second)).toMatchObject({ code: EXIT.ok });
  expect(await t.names()).toEqual(expected(t));
});

it('a plan of a delta shows nested values and lists as Solr holds them, and a refused record turns up at its apply', async () => {
  await using t = await solrSetup(solr, someRows(20));
  expect(await runJob(t, 1, 'sync')).toMatchObject({ code: EXIT.ok });
  t.source.put({ id: 'a', updated_at: now(), name: 'n', subjects: ['x', 'y'], maker: { born: [1900] } });
  t.source.put({ id: 'bad', updated_at: now(), name: 'n', pages: 'precious' });
  const made = await makePlan(t, 2, 'delta');
  expect(made.records[0]?.after).toMatchObject({
    name: 'n',
    subjects: ['x', 'y'],
    maker_s: '{"born":[1900]}',
  });
  expect(await apply(t, 3, made, { ...job(3), MAX_REJECTED: '5' })).toMatchObject({
    code: EXIT.recordsRejected,
  });
  expect(last(t)?.message).toContain('the good records are live');
  expect(await t.names()).toHaveProperty('a');
  const again = await makePlan(t, 4, 'delta', { MAX_REJECTED: '5' });
  expect(again.summary).toMatchObject({ added: 1, updated: 0 });
  expect(await apply(t, 5, again)).toMatchObject({ code: EXIT.ok });
  expect(last(t)).toMatchObject({ added: 0, failed: 1 });
  expect(last(t)?.failed_items?.[0]).toMatchObject({ id: 'bad' });
  expect(await runJob(t, 6, 'delta', { MAX_REJECTED: '5' })).toMatchObject({ code: EXIT.ok });
  expect(last(t), 'it is read again').toMatchObject({ failed: 1 });
});
