import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { page, someRows } from '../support/fake-source.ts';
import { namesOf, setup } from '../support/setup.ts';

describe('the action sync', () => {
  it('writes every record and leaves nothing behind', async () => {
    await using t = await setup(someRows(95));
    t.source.pageSize = 40;
    const ended = await t.run('sync -n 7 -c 3 --api_job_id 4');
    expect(ended).toMatchObject({ code: EXIT.ok });
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
    expect(await t.tables('syncrator')).not.toContainEqual(expect.stringContaining('staging'));
    expect(t.receiver.reports.at(-1)).toMatchObject({
      phase: 'done',
      records_done: 95,
      records_total: 95,
      added: 95,
      updated: 0,
      deleted: 0,
      failed: 0,
    });
  });

  it('writes and counts only the records that differ', async () => {
    await using t = await setup(someRows(60));
    await t.run('sync');
    const places = (): Promise<unknown[]> =>
      t.query('SELECT id, ctid::text FROM cities WHERE id > $1 ORDER BY id', ['r00004']);
    const before = await places();
    t.source.rows.delete('r00003');
    t.source.put({ id: 'r00004', updated_at: '2026-01-01T00:00:00Z', name: 'other' });
    t.source.put({ id: 'a', updated_at: '2026-01-01T00:00:00Z', name: 'new' });
    expect(await t.run('sync')).toMatchObject({ code: EXIT.ok });
    expect(t.receiver.reports.at(-1)).toMatchObject({ added: 1, updated: 1, deleted: 1 });
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
    expect(await places(), 'no other row was written').toEqual(before);
  });

  it('refuses a load that lacks records, also if an earlier attempt loaded all of it', async () => {
    await using t = await setup(someRows(10));
    await t.run('sync --api_job_id 1');
    const live = await t.md5();
    t.source.put({ id: 'r00004', updated_at: '2026-01-01T00:00:00Z', name: 'other' });
    t.source.bend = (listing) => (listing.query['after'] ? new Response('', { status: 404 }) : undefined);
    t.source.pageSize = 8;
    expect((await t.run('sync -n 4 --api_job_id 2')).code).toBe(EXIT.failed);
    const checkpoint = t.receiver.reports.at(-1)?.checkpoint as { load_id: string };
    const [sink] = await t.query<{ id: number }>('SELECT id FROM syncrator.sinks');
    await t.query(`TRUNCATE syncrator.staging_${sink?.id}_${checkpoint.load_id.replaceAll('-', '')}`);
    t.source.bend = null;
    const environment = { SYNCRATOR_CHECKPOINT: JSON.stringify(checkpoint) };
    expect((await t.run('sync --api_job_id 2', environment)).code).toBe(EXIT.failed);
    expect(t.receiver.reports.at(-1)?.message).toContain('2 of 10 records are in the load');
    expect(await t.md5()).toBe(live);
    expect((await t.run('sync --api_job_id 2')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });

  it('is safe to repeat any number of times', async () => {
    await using t = await setup(someRows(5));
    for (let round = 0; round < 3; round += 1) expect((await t.run('sync')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });

  it('stores awkward values unchanged', async () => {
    const record = {
      tab: 'a\tb',
      line: 'a\nb\r',
      back: 'a\\nb\\',
      quote: `"'`,
      uni: '😀\u0001',
      nul: null,
      deep: { a: [1] },
    };
    await using t = await setup([
      { id: 'a\\b\tc', updated_at: '2025-06-01T12:00:00.123456+02:00', ...record },
    ]);
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    const rows = await t.query<{ id: string; at: string; record: unknown }>(
      `SELECT id, to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') AS at, record FROM cities`,
    );
    expect(rows).toEqual([{ id: 'a\\b\tc', at: '2025-06-01T10:00:00.123456', record }]);
  });

  it('refuses an empty source on an empty sink', async () => {
    await using t = await setup();
    expect(await t.run('sync')).toMatchObject({ code: EXIT.deleteGuard });
    expect(await t.names()).toBeNull();
  });

  it('adds what is new and holds more removals than MAX_DELETE_PERCENT, until --force-delete', async () => {
    await using t = await setup(someRows(100));
    await t.run('sync');
    const before = await t.md5();
    // As many records as before: only a comparison of ids reveals the loss.
    for (const { id } of someRows(11)) {
      t.source.rows.delete(id);
      t.source.put({ id: `new-${id}`, updated_at: '2025-01-01T00:00:00Z', name: 'new' });
    }
    expect(await t.run('sync')).toMatchObject({ code: EXIT.ok });
    expect(await t.names()).toEqual({ ...namesOf(someRows(100)), ...namesOf(t.source.rows.values()) });
    expect(t.receiver.reports.at(-1)).toMatchObject({
      phase: 'done',
      added: 11,
      deleted: 0,
      kept: 11,
      held: 11,
      warnings: expect.arrayContaining([
        '11 removals wait for an answer: syncrator losses, or --force-delete for all of them',
      ]),
    });
    await t.run('rollback');
    expect(await t.md5()).toBe(before);
    expect(await t.run('sync --force-delete')).toMatchObject({ code: EXIT.ok });
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
    expect(t.receiver.reports.at(-1)).toMatchObject({ deleted: 11 });
    expect(t.receiver.reports.at(-1), 'an older api knows no held').not.toHaveProperty('held');
  });

  it.each([
    ['too high', 3],
    ['too low', -3],
  ])('changes nothing when the total is %s', async (_, off) => {
    await using t = await setup(someRows(20));
    await t.run('sync');
    const before = await t.md5();
    t.source.bend = (listing) => page(listing, { total: listing.total + off });
    const ended = await t.run('sync --force-delete');
    expect(ended.code).toBe(EXIT.incompleteListing);
    expect(ended.output).toContain('incomplete listing');
    expect(await t.md5()).toBe(before);
  });

  it('refuses a table with other columns', async () => {
    await using t = await setup(someRows(3));
    await t.query('CREATE TABLE cities (id text PRIMARY KEY, salary int)');
    expect((await t.run('sync')).code).toBe(EXIT.notConfigured);
    expect(await t.query('SELECT * FROM cities')).toEqual([]);
    expect(t.receiver.reports.at(-1)?.message).toContain(
      'has no column updated_at timestamp with time zone, only id, salary',
    );
  });
});
