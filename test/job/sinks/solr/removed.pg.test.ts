/** Copies of removed records in Solr, which a collection of their own holds. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { type Solr, startSolr } from '../../../support/solr/solr.ts';
import { someRows } from '../../support/fake-source.ts';
import { solrSetup } from '../../support/solr-setup.ts';
import { idsOf, lose } from '../conformance/held-removals.ts';
import { type CopiesUnderTest, testRemovedCopies } from '../conformance/removed-copies.ts';
import { testKillsOfCopies } from '../conformance/removed-copies-kills.ts';
import { expected, job, last } from '../conformance/tested-sink.ts';
import { testToldCopies } from '../conformance/told-copies.ts';

let solr: Solr;
beforeAll(async () => {
  solr = await startSolr();
}, 660_000); // the first run gets Solr from Maven Central
afterAll(() => solr?.stop());

const copies: CopiesUnderTest = {
  setup: (rows) => solrSetup(solr, rows),
  isChange: ({ method, path, query }) =>
    (method === 'POST' && path.endsWith('/update')) || /CREATE|DELETE/.test(query['action'] ?? ''),
};
testRemovedCopies('Solr', copies);
testKillsOfCopies('Solr', copies);
testToldCopies('Solr', copies);

it('a restored document has its texts, numbers, lists and nested fields as before', async () => {
  await using t = await solrSetup(solr, [
    ...someRows(9),
    {
      id: 'b, "x"',
      updated_at: '2025-06-01T10:00:00.123Z',
      name: `tab\tquote"é😀 ${'long '.repeat(20_000)}`,
      subjects: ['z', 'a', 'z'],
      pages: 12,
      lent: false,
      weight: 7,
      maker: { name: 'n', born: [1900] },
    },
  ]);
  expect(await t.run('sync --api_job_id 1', job(1))).toMatchObject({ code: EXIT.ok });
  const found = async () =>
    (await solr.documents(t.app)).map((document) => ({ ...document, _version_: null }));
  const before = await found();
  lose(t, ['b, "x"']);
  expect(await t.run('delete --api_job_id 2', job(2))).toMatchObject({ code: EXIT.ok });
  expect(last(t)).toMatchObject({ deleted: 1 });
  expect(await t.run(`rollback --before 2 --id ${encodeURIComponent('b, "x"')}`)).toMatchObject({
    code: EXIT.ok,
  });
  expect(await found()).toEqual(before);
});

it('a document with a field that is not stored is removed without a copy, and a warning counts it', async () => {
  await using t = await solrSetup(solr, someRows(20));
  t.source.put({
    id: 'r00001',
    updated_at: '2025-01-02T00:00:00Z',
    name: 'one',
    keywords: 'in the index alone',
  });
  expect(await t.run('sync --api_job_id 1', job(1))).toMatchObject({ code: EXIT.ok });
  lose(t, idsOf(2));
  const removed = await t.run('delete --api_job_id 2', job(2));
  expect(removed).toMatchObject({ code: EXIT.ok });
  expect(removed.output).toMatch(/the fields keywords of catalogue\d+_b are indexed but not stored/);
  expect(last(t)?.warnings).toContainEqual(
    '1 removed record cannot be restored by id: the sink does not return all of its fields; see the log',
  );
  expect([await t.names(), (await t.copies()).length]).toEqual([expected(t), 1]);
  expect((await t.run('rollback --before 2 --id r00001')).code).toBe(EXIT.nothingToRollBack);
  expect((await t.run('rollback --before 2 --id r00002')).code).toBe(EXIT.ok);
  expect(await t.names()).toHaveProperty('r00002');
});

it.each(['collection', 'alias', 'live collection'])(
  'a name of the copies that somebody else has as %s stops a removal before it begins, and nothing else',
  async (kind) => {
    await using t = await solrSetup(solr, someRows(20));
    const name = `${t.app}-syncrator-removed`;
    const collection = kind === 'alias' ? `${t.app}_other` : name;
    await solr.createCollection(collection);
    if (kind === 'alias') await solr.alias(name, collection);
    if (kind === 'live collection') await solr.alias(`${t.app}-theirs`, name);
    else await solr.call(`${collection}/update?commit=true`, [{ id: 'x', name: 'theirs' }]);
    const theirs = async () => (await solr.documents(collection)).map(({ id }) => id);
    const before = await theirs();
    for (const action of ['sync', 'delta', 'delete', 'forget-record --id r00002'])
      expect(await t.run(action), action).toMatchObject({ code: EXIT.ok });
    expect((await t.run('rollback --id r00001')).code).toBe(EXIT.nothingToRollBack);
    lose(t, ['r00001']);
    const live = await t.names();
    for (const action of ['sync', 'delete']) {
      expect((await t.run(action)).code).toBe(EXIT.sinkReplaced);
      expect(last(t)?.message).toContain(`${name} belongs to somebody else`);
      expect(await t.names()).toEqual(live);
    }
    expect(await t.run('take-over')).toMatchObject({ code: EXIT.ok });
    expect(await theirs()).toEqual(before);
  },
);
