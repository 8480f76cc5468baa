import { describe, expect, it } from 'vitest';
import { EXIT } from '../../src/domain/exit-code.ts';
import { lines, page, someRows } from './support/fake-source.ts';
import { namesOf, setup } from './support/setup.ts';

describe('delete', () => {
  it('asks for a sync where there has been none', async () => {
    await using t = await setup(someRows(3));
    expect((await t.run('delete')).code).toBe(EXIT.failed);
    expect(t.receiver.reports.at(-1)?.message).toContain('run sync first');
  });

  it.each(['-n 2', '-n 1 -c 3', '-n 1000'])(
    'removes what the source no longer has, with %s',
    async (options) => {
      await using t = await setup(someRows(60));
      t.source.pageSize = 25;
      await t.run('sync');
      for (const id of ['r00001', 'r00030', 'r00060']) t.source.rows.delete(id);
      t.source.put({ id: 'new', updated_at: '2026-01-01T00:00:00Z', name: 'not for delete to add' });
      expect((await t.run(`delete ${options}`)).code).toBe(EXIT.ok);
      expect(t.receiver.reports.at(-1)).toMatchObject({ phase: 'done', deleted: 3 });
      t.source.rows.delete('new');
      expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
    },
  );

  it('refuses an empty source even when forced', async () => {
    await using t = await setup(someRows(3));
    await t.run('sync');
    const before = await t.md5();
    t.source.rows.clear();
    for (const options of ['delete', 'delete --force-delete']) {
      expect((await t.run(options)).code).toBe(EXIT.deleteGuard);
      expect(await t.md5()).toBe(before);
    }
  });

  it.each([
    [20, 5, EXIT.ok],
    [20, 6, EXIT.deleteGuard],
    [100, 10, EXIT.ok],
    [100, 11, EXIT.deleteGuard],
  ])('of %i live, %i gone from the source: exit %i', async (live, gone, code) => {
    await using t = await setup(someRows(live));
    await t.run('sync');
    const before = await t.md5();
    for (const { id } of someRows(gone)) t.source.rows.delete(id);
    expect((await t.run('delete')).code).toBe(code);
    if (code === EXIT.ok) return;
    expect(await t.md5()).toBe(before);
    expect((await t.run('delete --force-delete -n 4')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });

  it.each([
    ['a page cut between lines', (rows: string) => rows.split('\n').slice(0, -3).join('\n').concat('\n')],
    ['a page cut in mid line', (rows: string) => rows.slice(0, -4)],
    ['a page that is empty', () => ''],
    ['a line that is no JSON', (rows: string) => rows.replace('{', '')],
    ['an id that is no text', (rows: string) => rows.replace('"r00001"', '1')],
  ])('deletes nothing after %s', async (_, cut) => {
    await using t = await setup(someRows(20));
    await t.run('sync');
    const before = await t.md5();
    t.source.bend = (listing) => page(listing, { body: cut(lines(listing.rows, true)) });
    expect((await t.run('delete --force-delete')).code).toBe(EXIT.failed);
    expect(await t.md5()).toBe(before);
  });

  it('deletes nothing when the total changes while it is read', async () => {
    await using t = await setup(someRows(20));
    await t.run('sync');
    t.source.pageSize = 10;
    t.source.bend = (listing) => page(listing, { total: listing.query['after'] ? 20 : 21 });
    expect((await t.run('delete --force-delete')).code).toBe(EXIT.failed);
    expect(Object.keys((await t.names()) ?? {})).toHaveLength(20);
  });
});
