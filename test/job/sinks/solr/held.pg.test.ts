/** Records that wait for an answer in Solr: how they are carried over, and where their list lies. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { EMPTY, parseState, storedForm } from '../../../../src/job/sinks/solr/state.ts';
import { createOtherCollection } from '../../../support/solr/other-schema.ts';
import { type Solr, startSolr } from '../../../support/solr/solr.ts';
import { type FakeRow, someRows } from '../../support/fake-source.ts';
import { namesOf } from '../../support/setup.ts';
import { type SolrSetup, solrSetup } from '../../support/solr-setup.ts';
import { idsOf, lose, waiting } from '../conformance/held-removals.ts';
import { last, now } from '../conformance/tested-sink.ts';

let solr: Solr;
beforeAll(async () => {
  solr = await startSolr();
}, 660_000); // the first run gets Solr from Maven Central
afterAll(() => solr?.stop());

/** The source has lost the first 10 of 30 rows, and a sync holds them. */
async function holding(): Promise<SolrSetup> {
  const t = await solrSetup(solr, someRows(30));
  await t.run('sync');
  lose(t, idsOf(10));
  expect(await t.run('sync')).toMatchObject({ code: EXIT.ok });
  expect([waiting(t), await t.names()]).toEqual([idsOf(10), namesOf(someRows(30))]);
  return t;
}

/** Points the standby at a collection whose schema has no field `name`. */
async function withOtherSchema(t: SolrSetup): Promise<void> {
  await createOtherCollection(solr, `${t.app}_c`);
  await solr.alias(`${t.app}-standby`, `${t.app}_c`);
}

it.each(['for the first time', 'once more'])(
  'nothing is switched if the schema of the standby refuses a record that would be held %s',
  async (when) => {
    const isFirst = when === 'for the first time';
    await using t = isFirst ? await solrSetup(solr, someRows(30)) : await holding();
    if (isFirst) await t.run('sync');
    lose(t, idsOf(10));
    await withOtherSchema(t);
    for (const { id } of someRows(30).slice(10)) t.source.put({ id, updated_at: now(), title: 'x' });
    const [before, { primary }, pieces] = [await t.names(), await t.aliases(), await t.pieces()];
    const told = t.receiver.pages.length;
    // Below the limit too: the records still wait.
    const environment: Record<string, string> = isFirst ? {} : { SYNCRATOR_MAX_DELETE_PERCENT: '90' };
    expect((await t.run('sync', environment)).code).toBe(EXIT.deleteGuard);
    expect(last(t)?.message).toMatch(
      /^nothing was changed: the removals cannot wait, because .* \("r00001", .*: Solr knows no field 'name'; .*; give both collections the same schema. Or remove them: --force-delete$/,
    );
    expect(JSON.stringify(last(t))).not.toContain('row 1');
    expect(await t.names()).toEqual(before);
    expect(await t.aliases()).toMatchObject({ primary, loading: null });
    expect(await t.pieces()).toEqual(pieces);
    expect([t.receiver.pages.length, (await t.state())['load']]).toEqual([told, null]);
    expect((await t.run('sync --force-delete')).code).toBe(EXIT.ok);
    expect(last(t)).toMatchObject({ deleted: 10 });
    expect(last(t)).not.toHaveProperty('held');
    expect(Object.keys(await t.names())).toEqual(idsOf(30, 10));
  },
);

it('nothing is switched if a copy of a document would lose a field that is only indexed', async () => {
  const hidden: FakeRow = {
    id: 'a',
    updated_at: '2025-01-01T00:00:00Z',
    name: 'a',
    keywords: 'in the index alone',
  };
  await using t = await solrSetup(solr, [...someRows(20), hidden]);
  await t.run('sync');
  const { primary } = await t.aliases();
  lose(t, ['a', ...idsOf(9)]);
  t.source.put({ id: 'new', updated_at: now(), name: 'new' });
  const before = await t.names();
  expect((await t.run('sync')).code).toBe(EXIT.deleteGuard);
  expect(last(t)?.message).toMatch(
    /^nothing was changed: the removals cannot wait, .* the fields keywords of catalogue\d+ are indexed but not stored; set stored="true". Or remove them: --force-delete$/,
  );
  expect([await t.names(), (await t.aliases()).primary, await t.pieces()]).toEqual([before, primary, []]);
  const found = await solr.call(`${t.app}/select?q=keywords:alone`);
  expect(found).toMatchObject({ response: { numFound: 1 } });
  // A delete changes the live collection, so nothing has to be copied.
  expect((await t.run('delete')).code).toBe(EXIT.ok);
  expect([waiting(t), await t.names()]).toEqual([['a', ...idsOf(9)], before]);
});

it('a held document is carried over completely, also over two syncs and from two shards', async () => {
  const old: FakeRow = {
    id: 'b, "x"',
    updated_at: '2025-06-01T10:00:00.123Z',
    name: 'tab\tquote"é😀',
    subjects: ['z', 'a', 'z'],
    pages: 12,
    lent: false,
    weight: 7,
    maker: { name: 'n', born: [1900] },
  };
  await using t = await solrSetup(solr, [...someRows(20), old], { shards: 2 });
  await t.run('sync');
  const documentOf = async () => {
    const { _version_: _, ...found } = (await solr.documents(t.app)).find(({ id }) => id === old.id) ?? {
      id: '',
    };
    return found;
  };
  const before = await documentOf();
  expect(before).toMatchObject({ weights: [7], subjects: ['z', 'a', 'z'] });
  lose(t, [old.id]);
  for (const name of ['one', 'two']) {
    t.source.put({ id: 'new', updated_at: now(), name });
    expect((await t.run('sync', { SYNCRATOR_MAX_DELETE_PERCENT: '0' })).code).toBe(EXIT.ok);
    expect([waiting(t), last(t)?.held, last(t)?.deleted]).toEqual([[old.id], 1, 0]);
    expect(await documentOf()).toEqual(before);
    expect(t.receiver.waiting).toMatchObject([
      { updated_at: old.updated_at, record: { name: old['name'], pages: 12, subjects: ['z', 'a', 'z'] } },
    ]);
  }
});

it('a lost list of held records is named, and --force-delete settles them all', async () => {
  await using t = await holding();
  await solr.call('syncrator_state/update?commit=true', { delete: await t.pieces() });
  for (const action of ['sync', 'delete']) {
    expect((await t.run(action)).code).toBe(EXIT.failed);
    expect(last(t)?.message).toMatch(/the document catalogue\d+\.held\.\S+ of syncrator_state is missing/);
    expect(await t.names()).toEqual(namesOf(someRows(30)));
  }
  expect((await t.run('delete --force-delete')).code).toBe(EXIT.ok);
  expect([waiting(t), await t.names()]).toEqual([[], namesOf(t.source.rows.values())]);
});

it('lists of collections that are gone are deleted; a take-over keeps what waits', async () => {
  await using t = await holding();
  for (const name of ['one', 'two', 'three']) {
    t.source.put({ id: 'new', updated_at: now(), name });
    await t.run('sync');
  }
  expect(await t.pieces(), 'of the live collection and of the kept one').toHaveLength(2);
  expect((await t.run('take-over')).code).toBe(EXIT.ok);
  expect((await t.run('sync', { SYNCRATOR_MAX_DELETE_PERCENT: '90' })).code).toBe(EXIT.ok);
  expect(last(t)).toMatchObject({ deleted: 0, held: 10 });
  expect(waiting(t)).toEqual(idsOf(10));
});

it('version 0.2.0 reads the state only while nothing is held', () => {
  const held = { id: '01234567-89ab-4def-8123-456789abcdef', count: 3, pieces: 1 };
  const generation = {
    created: 1,
    synced: true,
    watermark: null,
    coarse_times: false,
    proven: true,
    left_by: null,
    held: null,
    listed_at: null,
    source_state: null,
  };
  expect(storedForm({ ...EMPTY, generations: { a: generation } })).toMatchObject({
    format: 2,
    rolled_back_by: null,
  });
  const state = { ...EMPTY, generations: { a: { ...generation, held } } };
  const stored = storedForm(state) as Record<string, unknown>;
  // Both versions require the field, and 0.2.0 takes what it cannot read for a state of 0.1.0.
  expect([stored['format'], 'rolled_back_by' in stored]).toEqual([3, false]);
  expect(parseState(stored)).toEqual({ ...state, format: 3 });
});
