/** CANARY_IDS in whole jobs: a source that hides a part of its records, a canary among them. */
import { expect, test } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { someRows } from '../support/fake-source.ts';
import { setup } from '../support/setup.ts';

const CANARY_IDS = 'r00003,r00095';

test.each(['sync', 'sync --force-delete', 'delete', 'delete --force-delete'])(
  'a %s whose listing lacks a canary fails and changes nothing, however few records it lacks',
  async (words) => {
    await using t = await setup(someRows(100));
    expect((await t.run('sync -n 10', { CANARY_IDS })).code).toBe(EXIT.ok);
    const before = await t.md5();
    t.source.rows.delete('r00003');
    expect((await t.run(`${words} -n 10`, { CANARY_IDS })).code).toBe(EXIT.incompleteListing);
    expect(await t.md5()).toBe(before);
    // Without canaries the same listing is within the limits.
    expect((await t.run(`${words} -n 10`)).code).toBe(EXIT.ok);
    expect(await t.md5()).not.toBe(before);
  },
);

test('records other than canaries are removed as before, and a delta does not look for canaries', async () => {
  await using t = await setup(someRows(100));
  await t.run('sync', { CANARY_IDS });
  t.source.rows.delete('r00004');
  expect((await t.run('delta', { CANARY_IDS })).code).toBe(EXIT.ok);
  expect((await t.run('sync', { CANARY_IDS })).code).toBe(EXIT.ok);
  expect(Object.keys((await t.names()) ?? {})).toHaveLength(99);
});
