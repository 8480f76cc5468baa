/** What OpenSearch keeps of a plan: the index of a sync, and lists and records beside the state. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { type OpenSearch, startOpenSearch } from '../../../support/opensearch/opensearch.ts';
import { someRows } from '../../support/fake-source.ts';
import { type OpenSearchSetup, openSearchSetup } from '../../support/opensearch-setup.ts';
import { apply, makePlan, runJob } from '../../support/plan-setup.ts';
import { testKeptPlans } from '../conformance/plans-kept.ts';
import { expected, last, now, uid } from '../conformance/tested-sink.ts';

let server: OpenSearch;
beforeAll(async () => {
  server = await startOpenSearch();
}, 660_000); // the first run gets OpenSearch from Maven Central
afterAll(() => server?.stop());

testKeptPlans<OpenSearchSetup>('OpenSearch', {
  setup: (rows) => openSearchSetup(server, rows),
  isChange: ({ method, path }) => method === 'PUT' || method === 'DELETE' || /_bulk$|_aliases$/.test(path),
  changeState: (t, change) => t.setState((state) => change(state) as typeof state),
  async put(t, id, name) {
    const place = `${await t.live()}/_doc/${encodeURIComponent(id)}?refresh=true`;
    await server.call('PUT', place, { id, updated_at: now(), name });
  },
  async remove(t, id) {
    await server.call('DELETE', `${await t.live()}/_doc/${encodeURIComponent(id)}?refresh=true`);
  },
  async everything(t) {
    await server.call('POST', 'syncrator-state/_refresh');
    const indexes = await server.indexes(`${t.alias}-`);
    const documents = await Promise.all(indexes.map((index) => server.documents(index)));
    const beside = Object.entries(await server.documents('syncrator-state'));
    return JSON.stringify([documents, beside.filter(([id]) => id.startsWith(t.alias))]);
  },
});

it('a plan of a sync keeps the data for a rollback, and its index goes with the plan', async () => {
  await using t = await openSearchSetup(server, someRows(20));
  expect(await runJob(t, 1, 'sync')).toMatchObject({ code: EXIT.ok });
  const first = await t.names();
  t.source.put({ id: 'new', updated_at: now(), name: 'new' });
  expect(await runJob(t, 2, 'sync')).toMatchObject({ code: EXIT.ok });
  t.source.put({ id: 'newer', updated_at: now(), name: 'new' });
  const made = await makePlan(t, 3, 'sync');
  expect(await t.indexes()).toHaveLength(3);
  expect(await runJob(t, 4, `rollback --before ${uid(2)}`)).toMatchObject({ code: EXIT.ok });
  expect(await t.names()).toEqual(first);
  expect(await t.indexes()).toHaveLength(2);
  expect(await apply(t, 5, made)).toMatchObject({ code: EXIT.planStale });
  const anew = await makePlan(t, 6, 'sync');
  expect(await runJob(t, 7, 'delete')).toMatchObject({ code: EXIT.ok });
  expect(await t.indexes(), 'a job in place drops the plan and its index').toHaveLength(2);
  expect(await apply(t, 8, anew)).toMatchObject({ code: EXIT.planStale });
});

it('an apply is stale if the index of the plan was removed or changed by hand', async () => {
  await using t = await openSearchSetup(server, someRows(20));
  expect(await runJob(t, 1, 'sync')).toMatchObject({ code: EXIT.ok });
  const before = await t.names();
  t.source.put({ id: 'new', updated_at: now(), name: 'new' });
  const first = await makePlan(t, 2, 'sync');
  const { load } = await t.state();
  await server.call('DELETE', `${load?.index}/_doc/new?refresh=true`);
  expect(await apply(t, 3, first)).toMatchObject({ code: EXIT.planStale });
  const second = await makePlan(t, 4, 'sync');
  await server.call('DELETE', `${(await t.state()).load?.index}`);
  expect(await apply(t, 5, second)).toMatchObject({ code: EXIT.planStale });
  expect(last(t)?.message).toContain('moved by hand');
  expect(await t.names()).toEqual(before);
  const third = await makePlan(t, 6, 'sync');
  expect(await apply(t, 7, third)).toMatchObject({ code: EXIT.ok });
  expect(await t.names()).toEqual(expected(t));
});

it.each([
  ['a delta', 'delta'],
  ['a plan of a delta', 'plan --of delta'],
  ['a plan of a delete', 'plan --of delete'],
  ['a rollback of a record', 'rollback --id gone'],
])('the index of a planned sync goes with %s', async (_, options) => {
  await using t = await openSearchSetup(server, someRows(20));
  t.source.put({ id: 'gone', updated_at: now(), name: 'gone' });
  expect(await runJob(t, 1, 'sync')).toMatchObject({ code: EXIT.ok });
  t.source.rows.delete('gone');
  expect(await runJob(t, 2, 'delete')).toMatchObject({ code: EXIT.ok });
  t.source.put({ id: 'new', updated_at: now(), name: 'new' });
  await makePlan(t, 3, 'sync');
  expect(await t.indexes()).toHaveLength(2);
  const ended = await runJob(t, 4, options);
  expect(ended.code, ended.output).toBe(EXIT.ok);
  expect(await t.indexes()).toHaveLength(1);
});
