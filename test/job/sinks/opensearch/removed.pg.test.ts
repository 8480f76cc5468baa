/** Copies of removed records in OpenSearch, which an index of their own holds. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { type OpenSearch, startOpenSearch } from '../../../support/opensearch/opensearch.ts';
import { someRows } from '../../support/fake-source.ts';
import { openSearchSetup } from '../../support/opensearch-setup.ts';
import { namesOf } from '../../support/setup.ts';
import { lose } from '../conformance/held-removals.ts';
import { testRemovedCopies } from '../conformance/removed-copies.ts';
import { goodThenBad, job, last } from '../conformance/tested-sink.ts';

let server: OpenSearch;
beforeAll(async () => {
  server = await startOpenSearch();
}, 660_000); // the first run gets OpenSearch from Maven Central
afterAll(() => server?.stop());

testRemovedCopies('OpenSearch', {
  setup: (rows) => openSearchSetup(server, rows),
  isChange: ({ method, path }) => method === 'PUT' || method === 'DELETE' || /_bulk$|_aliases$/.test(path),
});

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

it('an index of somebody else with the name of the copies stops a removal before it begins', async () => {
  await using t = await openSearchSetup(server, someRows(20));
  await t.run('sync');
  await server.call('PUT', `${t.alias}-syncrator-removed`, {});
  lose(t, ['r00001']);
  const before = await t.names();
  for (const action of ['sync', 'delete']) {
    expect((await t.run(action)).code).toBe(EXIT.sinkReplaced);
    expect(last(t)?.message).toContain(`${t.alias}-syncrator-removed is an index of somebody else`);
    expect(await t.names()).toEqual(before);
  }
});

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
