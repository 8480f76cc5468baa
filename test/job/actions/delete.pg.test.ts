import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { lines, page, someRows } from '../support/fake-source.ts';
import { namesOf, setup } from '../support/setup.ts';

describe('the action delete', () => {
  it.each([
    [20, 5, 'removes'],
    [20, 6, 'holds'],
    [100, 10, 'removes'],
    [100, 11, 'holds'],
  ])('with %i live records, of which the source lacks %i, %s them', async (live, gone, does) => {
    await using t = await setup(someRows(live));
    await t.run('sync');
    const before = await t.md5();
    for (const { id } of someRows(gone)) t.source.rows.delete(id);
    expect((await t.run('delete')).code).toBe(EXIT.ok);
    const isHeld = does === 'holds';
    expect(t.receiver.reports.at(-1)).toMatchObject(isHeld ? { deleted: 0, held: gone } : { deleted: gone });
    if (!isHeld) return;
    expect(await t.md5()).toBe(before);
    expect((await t.run('delete --force-delete -n 4')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });

  it.each([
    [
      'a page cut between lines',
      'incompleteListing',
      (rows: string) => rows.split('\n').slice(0, -3).join('\n').concat('\n'),
    ],
    ['a page cut in mid line', 'failed', (rows: string) => rows.slice(0, -4)],
    ['a page that is empty', 'incompleteListing', () => ''],
    ['a line that is not JSON', 'recordsRejected', (rows: string) => rows.replace('{', '')],
    ['an id that is not a text', 'recordsRejected', (rows: string) => rows.replace('"r00001"', '1')],
  ] as const)('removes nothing after %s', async (_, end, cut) => {
    await using t = await setup(someRows(20));
    await t.run('sync');
    const before = await t.md5();
    t.source.bend = (listing) => page(listing, { body: cut(lines(listing.rows, true)) });
    expect((await t.run('delete --force-delete')).code).toBe(EXIT[end]);
    expect(await t.md5()).toBe(before);
  });

  it('removes nothing when the total changes by more than 10 % during the listing', async () => {
    await using t = await setup(someRows(20));
    await t.run('sync');
    t.source.pageSize = 10;
    t.source.bend = (listing) => page(listing, { total: listing.query['after'] ? 20 : 30 });
    expect((await t.run('delete --force-delete')).code).toBe(EXIT.incompleteListing);
    expect(Object.keys((await t.names()) ?? {})).toHaveLength(20);
  });

  it('succeeds when the total grows slightly during the listing (A17)', async () => {
    await using t = await setup(someRows(60));
    await t.run('sync');
    t.source.rows.delete('r00005');
    t.source.pageSize = 25;
    t.source.bend = (listing) =>
      page(listing, { total: listing.query['after'] ? listing.total : listing.total - 1 });
    expect((await t.run('delete')).code).toBe(EXIT.ok);
    expect(t.receiver.reports.at(-1)).toMatchObject({ deleted: 1 });
  });

  it('rejects a listing that lacks records which the source still returns by id', async () => {
    await using t = await setup(someRows(60));
    await t.run('sync');
    // The full listing leaves out three; requested by id, they exist.
    t.source.bend = (listing) => {
      const { query, rows, total } = listing;
      const all = query['after'] === undefined || !/\u{10FFFF}|r0000/u.test(query['after']);
      return all ? page({ ...listing, rows: rows.slice(3), total: total - 3 }) : undefined;
    };
    expect((await t.run('delete')).code).toBe(EXIT.incompleteListing);
    expect(t.receiver.reports.at(-1)?.message).toContain('when requested by id');
    expect(Object.keys((await t.names()) ?? {})).toHaveLength(60);
  });

  it.each([
    ['SYNCRATOR_MAX_DELETE_PERCENT', '0', 1, 'holds'],
    ['SYNCRATOR_MAX_DELETE_RECORDS', '0', 1, 'removes'],
    ['SYNCRATOR_MAX_DELETE_RECORDS', '0', 3, 'holds'],
    ['SYNCRATOR_MAX_DELETE_RECORDS', '3', 3, 'removes'],
  ])(
    'with %s=%s, of 20 live records, %i of them missing in the source, %s them (A13)',
    async (key, value, gone, does) => {
      await using t = await setup(someRows(20));
      await t.run('sync');
      for (const { id } of someRows(gone)) t.source.rows.delete(id);
      for (const action of ['delete', 'sync']) {
        expect((await t.run(action, { [key]: value })).code).toBe(EXIT.ok);
        expect(Object.keys((await t.names()) ?? {})).toHaveLength(does === 'holds' ? 20 : 20 - gone);
      }
    },
  );

  it('removes nothing in a diff with an unproven listing, and fails as a separate action', async () => {
    const file = await temporaryFile(lines(someRows(30)));
    await using t = await setup();
    const environment = { SOURCE_URL: '', SOURCE_FILE: file.path };
    expect((await t.run('sync', environment)).code).toBe(EXIT.ok);
    expect(t.receiver.reports.at(-1)).toMatchObject({ listing: 'unproven' });
    await file.write(lines(someRows(28)));
    expect((await t.run('delete', environment)).code).toBe(EXIT.incompleteListing);
    expect((await t.run('delete', { ...environment, SYNCRATOR_PART_OF: 'diff' })).code).toBe(EXIT.ok);
    expect(t.receiver.reports.at(-1)).toMatchObject({ listing: 'unproven', deleted: 0, kept: 2 });
    expect(t.receiver.reports.at(-1)?.warnings).toContainEqual(
      expect.stringContaining('nothing was removed'),
    );
    expect(Object.keys((await t.names()) ?? {})).toHaveLength(30);
  });
});

async function temporaryFile(text: string): Promise<{ path: string; write(text: string): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'syncrator-delete-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, 'records.ndjson');
  const write = (next: string): Promise<void> => writeFile(path, next);
  await write(text);
  return { path, write };
}
