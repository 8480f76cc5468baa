/** Copies of removed records in OpenSearch, which an index of their own holds. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { type OpenSearch, startOpenSearch } from '../../../support/opensearch/opensearch.ts';
import { someRows } from '../../support/fake-source.ts';
import { openSearchSetup } from '../../support/opensearch-setup.ts';
import { namesOf } from '../../support/setup.ts';
import { lose, waiting } from '../conformance/held-removals.ts';
import { type CopiesUnderTest, testRemovedCopies } from '../conformance/removed-copies.ts';
import { testKillsOfCopies } from '../conformance/removed-copies-kills.ts';
import { goodThenBad, job, last } from '../conformance/tested-sink.ts';
import { testToldCopies } from '../conformance/told-copies.ts';

const ALL_MAY_GO = { SYNCRATOR_MAX_DELETE_PERCENT: '100', SYNCRATOR_MAX_DELETE_RECORDS: '100' };

let server: OpenSearch;
beforeAll(async () => {
  server = await startOpenSearch();
}, 660_000); // the first run gets OpenSearch from Maven Central
afterAll(() => server?.stop());

const copies: CopiesUnderTest = {
  setup: (rows) => openSearchSetup(server, rows),
  isChange: ({ method, path }) => method === 'PUT' || method === 'DELETE' || /_bulk$|_aliases$/.test(path),
};
testRemovedCopies('OpenSearch', copies);
testKillsOfCopies('OpenSearch', copies);
testToldCopies('OpenSearch', copies);

it('a restored document keeps the digits of its numbers and its nested fields', async () => {
  await using t = await openSearchSetup(server, someRows(9));
  const exact =
    '{"id":"a","updated_at":"2025-01-01T00:00:00.123Z","big":12345678901234567890.10,"maker":{"born":[1900,"x"]}}';
  const whole = `${exact}\n${someRows(9)
    .map((row) => `${JSON.stringify(row)}\n`)
    .join('')}`;
  t.source.bend = () =>
    new Response(whole, { headers: { 'x-total-count': '10', 'content-length': String(whole.length) } });
  expect(await t.run('sync --api_job_id 1', job(1))).toMatchObject({ code: EXIT.ok });
  const raw = async (): Promise<string> => await (await fetch(`${server.url}${t.alias}/_source/a`)).text();
  const before = await raw();
  t.source.bend = null;
  expect(await t.run('delete --api_job_id 2', job(2))).toMatchObject({ code: EXIT.ok });
  expect(last(t)).toMatchObject({ deleted: 1 });
  expect(await t.run('rollback --before 2 --id a')).toMatchObject({ code: EXIT.ok });
  expect([before, await raw()]).toEqual([expect.stringContaining('"big":12345678901234567890.10'), before]);
});

it.each(['index', 'alias'])(
  'an %s of somebody else with the name of the copies stops a removal before it begins, and nothing else',
  async (kind) => {
    await using t = await openSearchSetup(server, someRows(20));
    await t.run('sync');
    const name = `${t.alias}-syncrator-removed`;
    const index = kind === 'index' ? name : `${t.alias}-other`;
    await server.call('PUT', index, index === name ? {} : { aliases: { [name]: {} } });
    await server.call('PUT', `${index}/_doc/x`, { id: 'x', name: 'theirs' });
    for (const action of ['sync', 'delta', 'delete', 'forget-record --id r00002'])
      expect(await t.run(action), action).toMatchObject({ code: EXIT.ok });
    expect((await t.run('rollback --id r00001')).code).toBe(EXIT.nothingToRollBack);
    lose(t, ['r00001']);
    const before = await t.names();
    for (const action of ['sync', 'delete']) {
      expect((await t.run(action)).code).toBe(EXIT.sinkReplaced);
      expect(last(t)?.message).toContain(`${name} is an index of somebody else`);
      expect(await t.names()).toEqual(before);
    }
    expect(await t.run('take-over')).toMatchObject({ code: EXIT.ok });
    expect(await server.documents(index)).toEqual({ x: { id: 'x', name: 'theirs' } });
  },
);

it('a rollback of some records finishes an interrupted one of everything first, and does its own', async () => {
  await using t = await openSearchSetup(server, someRows(20));
  await goodThenBad(t);
  t.proxy.after = ({ path, body }) =>
    path === '_aliases' && body.includes(`"alias":"${t.alias}"`) ? { status: 500 } : undefined;
  expect((await t.run('rollback')).code).toBe(EXIT.failed);
  t.proxy.after = null;
  expect(await t.run('rollback --id zzz')).toMatchObject({ code: EXIT.ok });
  expect(last(t)).toMatchObject({ added: 1, held: 1 });
  expect(await t.names()).toEqual({ ...namesOf(someRows(20)), zzz: 'bad' });
});

it('a document whose copy is refused is removed all the same, and a warning counts it', async () => {
  await using t = await openSearchSetup(server, someRows(20));
  await t.run('sync --api_job_id 1', job(1));
  lose(t, ['r00001', 'r00002']);
  // As a proxy that takes no large requests.
  t.proxy.before = ({ path, body }) =>
    path.includes('-syncrator-removed-run-') && body.includes('row 1"') ? { status: 413 } : undefined;
  const removed = await t.run('delete --api_job_id 2', job(2));
  expect(removed).toMatchObject({ code: EXIT.ok });
  expect(removed.output).toContain('1 copies of removed records are refused: it is larger than');
  expect(last(t)?.warnings).toContainEqual(
    expect.stringMatching(/^1 removed record cannot be restored by id/),
  );
  expect([await t.names(), (await t.copies()).length]).toEqual([namesOf(someRows(20).slice(2)), 1]);
});

it('while the copies have no room or take no writes, nothing is removed', async () => {
  await using t = await openSearchSetup(server, someRows(20));
  await t.run('sync');
  lose(t, ['r00020']);
  await t.run('delete');
  lose(t, ['r00001']);
  const refuse = async (code: number) => {
    for (const action of ['delete', 'sync']) {
      expect((await t.run(action)).code).toBe(code);
      expect(await t.names()).toEqual(namesOf(someRows(19)));
    }
  };
  const copies = `${t.alias}-syncrator-removed`;
  t.proxy.before = ({ path }) => (path.startsWith(`${copies}-run-`) ? { status: 429 } : undefined);
  await refuse(EXIT.sinkUnreachable);
  t.proxy.before = null;
  await server.call('PUT', `${copies}/_settings`, { 'index.blocks.write': true });
  await refuse(EXIT.sinkReadOnly);
  await server.call('PUT', `${copies}/_settings`, { 'index.blocks.write': null });
  expect(await t.run('delete')).toMatchObject({ code: EXIT.ok });
  expect(await t.names()).toEqual(namesOf(someRows(19).slice(1)));
});

it('a record that the mapping refuses since waits for its correction; the others come back', async () => {
  await using t = await openSearchSetup(server, someRows(20));
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-mapping-'));
  const file = path.join(folder, 'mapping.json');
  const mapped = (properties: object, dynamic: unknown) => {
    writeFileSync(file, JSON.stringify({ mappings: { dynamic, properties } }));
    return { ...ALL_MAY_GO, SINK_MAPPING: file };
  };
  const where = { name: { type: 'keyword' }, at: { type: 'geo_point' }, tags: { type: 'nested' } };
  const odd = {
    id: 'odd',
    updated_at: '2025-01-01T00:00:00Z',
    name: 'odd',
    at: { lat: 1.5, lon: -2 },
    tags: [{ a: [1, null] }, {}],
    none: null,
    day: '2020-02-30',
    'a.b': { c: [[1], []] },
  };
  t.source.put(odd, { ...odd, id: 'odder' });
  expect(await t.run('sync --api_job_id 1', { ...job(1), ...mapped(where, false) })).toMatchObject({
    code: EXIT.ok,
  });
  const documents = async () => (await server.documents(t.alias)) as Record<string, unknown>;
  const before = await documents();
  lose(t, ['odd', 'odder', 'r00001']);
  expect(await t.run('sync --api_job_id 2', { ...job(2), ...mapped(where, 'strict') })).toMatchObject({
    code: EXIT.ok,
  });
  const back = 'rollback --before 2 --only --api_job_id';
  expect((await t.run(`${back} 3`, { ...job(3), ...mapped(where, 'strict') })).code).toBe(
    EXIT.recordsRejected,
  );
  expect(last(t)?.message).toMatch(
    /^2 removed records cannot come back \("odd", "odder"\): SINK_MAPPING knows no field/,
  );
  expect(await t.names()).toEqual({ ...namesOf(someRows(20)) });
  for (const [nth, dynamic] of (['strict', false] as const).entries())
    expect(
      await t.run(`sync --api_job_id ${4 + nth}`, { ...job(4 + nth), ...mapped(where, dynamic) }),
    ).toMatchObject({
      code: EXIT.ok,
    });
  expect(waiting(t)).toEqual(['r00001']);
  expect(await t.run(`${back} 6`, { ...job(6), ...mapped(where, false) })).toMatchObject({ code: EXIT.ok });
  expect(last(t)).toMatchObject({ added: 2, held: 3 });
  expect([waiting(t), await documents()]).toEqual([['odd', 'odder', 'r00001'], before]);
  rmSync(folder, { recursive: true });
});

it('a copy that an older run writes late is refused after forget-record', async () => {
  await using t = await openSearchSetup(server, someRows(20));
  await t.run('sync --api_job_id 1', job(1));
  lose(t, ['r00001']);
  const standing = Promise.withResolvers<void>();
  const released = Promise.withResolvers<undefined>();
  t.proxy.before = ({ path }) => {
    if (!path.includes('-syncrator-removed-run-')) return undefined;
    t.proxy.before = null;
    standing.resolve();
    return released.promise;
  };
  const older = t.run('delete --api_job_id 2', job(2));
  await standing.promise;
  expect(await t.run('forget-record --id r00001 --api_job_id 3', job(3))).toMatchObject({ code: EXIT.ok });
  released.resolve(undefined);
  expect((await older).code).toBe(EXIT.fenced);
  expect([await t.copies(), await t.names()]).toEqual([[], namesOf(someRows(20))]);
});
