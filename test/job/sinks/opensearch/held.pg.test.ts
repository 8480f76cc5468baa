/** Records that wait for an answer in OpenSearch: how they are carried over, and where their list lies. */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { type OpenSearch, startOpenSearch } from '../../../support/opensearch/opensearch.ts';
import { lines, someRows } from '../../support/fake-source.ts';
import { type OpenSearchSetup, openSearchSetup } from '../../support/opensearch-setup.ts';
import { namesOf } from '../../support/setup.ts';
import { idsOf, lose, waiting } from '../conformance/held-removals.ts';
import { last, now } from '../conformance/tested-sink.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-held-'));
let server: OpenSearch;
beforeAll(async () => {
  server = await startOpenSearch();
}, 660_000); // the first run gets OpenSearch from Maven Central
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The source has lost the first 10 of 30 rows, and a sync holds them. */
async function holding(): Promise<OpenSearchSetup> {
  const t = await openSearchSetup(server, someRows(30));
  await t.run('sync');
  lose(t, idsOf(10));
  expect(await t.run('sync')).toMatchObject({ code: EXIT.ok });
  expect([waiting(t), await t.names()]).toEqual([idsOf(10), namesOf(someRows(30))]);
  return t;
}

it.each(['for the first time', 'once more'])(
  'nothing is switched if the new mapping refuses a record that would be held %s',
  async (when) => {
    const isFirst = when === 'for the first time';
    await using t = isFirst ? await openSearchSetup(server, someRows(30)) : await holding();
    if (isFirst) await t.run('sync');
    lose(t, idsOf(10));
    for (const { id } of someRows(30).slice(10)) t.source.put({ id, updated_at: now(), name: 7 });
    const file = path.join(folder, 'number.json');
    writeFileSync(file, JSON.stringify({ mappings: { properties: { name: { type: 'long' } } } }));
    const [before, live, pieces] = [await t.names(), await t.live(), await t.pieces()];
    const told = t.receiver.pages.length;
    // Below the limit too: the records still wait.
    const environment = { SINK_MAPPING: file, ...(isFirst ? {} : { SYNCRATOR_MAX_DELETE_PERCENT: '90' }) };
    expect((await t.run('sync', environment)).code).toBe(EXIT.deleteGuard);
    expect(last(t)?.message).toMatch(
      /^nothing was changed: the removals cannot wait, because .* \("r00001", .*: the value of the field 'name' does not fit its type in SINK_MAPPING; correct SINK_MAPPING. Or remove them: --force-delete$/,
    );
    expect(JSON.stringify(last(t))).not.toContain('row 1');
    expect([await t.names(), await t.live(), await t.pieces()]).toEqual([before, live, pieces]);
    expect([t.receiver.pages.length, (await t.state()).load]).toEqual([told, null]);
    expect((await t.run('sync --force-delete', environment)).code).toBe(EXIT.ok);
    expect(last(t)).toMatchObject({ deleted: 10 });
    expect(last(t)).not.toHaveProperty('held');
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  },
);

it('a held document keeps the digits of its numbers and its nested fields, also over two syncs', async () => {
  await using t = await openSearchSetup(server, someRows(9));
  const exact =
    '{"id":"a","updated_at":"2025-01-01T00:00:00.123Z","big":12345678901234567890.10,"maker":{"born":[1900]}}';
  const whole = `${exact}\n${someRows(9)
    .map((row) => `${JSON.stringify(row)}\n`)
    .join('')}`;
  t.source.bend = () =>
    new Response(whole, { headers: { 'x-total-count': '10', 'content-length': String(whole.length) } });
  expect(await t.run('sync')).toMatchObject({ code: EXIT.ok });
  t.source.bend = null;
  for (const night of [1, 2]) {
    t.source.put({ id: 'new', updated_at: now(), name: `night ${night}` });
    const none = { SYNCRATOR_MAX_DELETE_PERCENT: '0' };
    expect(await t.run('sync', none)).toMatchObject({ code: EXIT.ok });
    expect([waiting(t), last(t)?.held]).toEqual([['a'], 1]);
    const raw = await (await fetch(`${server.url}${t.alias}/_doc/a`)).text();
    expect(raw).toContain('"big":12345678901234567890.10');
    expect(t.receiver.waiting?.[0]).toMatchObject({
      updated_at: '2025-01-01T00:00:00.123Z',
      record: { maker: { born: [1900] } },
    });
  }
});

it('a record that is too large to be shown is told without its content', async () => {
  await using t = await openSearchSetup(server, someRows(10));
  t.source.put({ id: 'a', updated_at: now(), name: 'x'.repeat(70_000) });
  await t.run('sync');
  lose(t, ['a']);
  expect((await t.run('delete', { SYNCRATOR_MAX_DELETE_PERCENT: '0' })).code).toBe(EXIT.ok);
  expect(t.receiver.waiting).toMatchObject([{ id: 'a', record: null }]);
});

it('a lost list of held records is named, and --force-delete settles them all', async () => {
  await using t = await holding();
  const [piece] = await t.pieces();
  await server.call('DELETE', `syncrator-state/_doc/${piece}`);
  for (const action of ['sync', 'delete']) {
    expect((await t.run(action)).code).toBe(EXIT.failed);
    expect(last(t)?.message).toMatch(/the document cities\d+\.held\.\S+ of syncrator-state is missing/);
    expect(await t.names()).toEqual(namesOf(someRows(30)));
  }
  expect((await t.run('delete --force-delete')).code).toBe(EXIT.ok);
  expect([waiting(t), await t.names()]).toEqual([[], namesOf(t.source.rows.values())]);
});

it('lists of indexes that are gone are deleted; a take-over keeps what waits', async () => {
  await using t = await holding();
  for (const name of ['one', 'two', 'three']) {
    t.source.put({ id: 'new', updated_at: now(), name });
    await t.run('sync');
  }
  expect(await t.pieces(), 'of the live index and of the kept one').toHaveLength(2);
  expect((await t.run('take-over')).code).toBe(EXIT.ok);
  expect(await t.pieces()).toHaveLength(1);
  expect((await t.run('sync', { SYNCRATOR_MAX_DELETE_PERCENT: '90' })).code).toBe(EXIT.ok);
  expect(last(t)).toMatchObject({ deleted: 0, held: 10 });
  expect(waiting(t)).toEqual(idsOf(10));
});

it('the delete of a diff without evidence settles nothing, also with --force-delete', async () => {
  await using t = await holding();
  await t.setState((state) => {
    for (const one of Object.values(state.generations)) one.proven = false;
    return state;
  });
  lose(t, ['r00011']);
  const file = path.join(folder, 'unproven.ndjson');
  writeFileSync(file, lines([...t.source.rows.values()]));
  const minuteAgo = new Date(Date.now() - 60_000);
  utimesSync(file, minuteAgo, minuteAgo);
  for (const action of ['delete', 'delete --force-delete']) {
    const unproven = { SOURCE_URL: '', SOURCE_FILE: file, SYNCRATOR_PART_OF: 'diff' };
    expect((await t.run(action, unproven)).code).toBe(EXIT.ok);
    expect(last(t)).toMatchObject({ listing: 'unproven', deleted: 0, kept: 11, held: 10 });
    expect([waiting(t), await t.names()]).toEqual([idsOf(10), namesOf(someRows(30))]);
  }
});
