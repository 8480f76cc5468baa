import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { someRows } from '../support/fake-source.ts';
import { namesOf, setup } from '../support/setup.ts';

describe('the action rollback', () => {
  it('undoes the last sync, then the one before; each rollback can be undone', async () => {
    await using t = await setup(someRows(3));
    await t.run('sync --api_job_id 1');
    const first = await t.md5();
    t.source.put({ id: 'new', updated_at: '2026-01-01T00:00:00Z', name: 'new' });
    await t.run('sync --api_job_id 2');
    const second = await t.md5();
    t.source.put({ id: 'r00001', updated_at: '2026-01-02T00:00:00Z', name: 'other' });
    await t.run('sync --api_job_id 3');
    const third = await t.md5();
    expect((await t.run('rollback --api_job_id 4')).code).toBe(EXIT.ok);
    expect(await t.md5()).toBe(second);
    expect((await t.run('rollback --api_job_id 5')).code).toBe(EXIT.ok);
    expect(await t.md5(), 'the third is undone, so the second is the last').toBe(first);
    expect((await t.run('rollback --api_job_id 6 --before 4')).code).toBe(EXIT.ok);
    expect(await t.md5(), 'both rollbacks are undone').toBe(third);
    expect((await t.run('rollback --api_job_id 7 --before 2')).code).toBe(EXIT.ok);
    expect(await t.md5()).toBe(first);
    expect((await t.run('rollback --api_job_id 8 --before 1')).code).toBe(EXIT.nothingToRollBack);
    expect(t.receiver.reports.at(-1)?.message).toContain('the table was empty before');
    expect(await t.md5()).toBe(first);
  });

  it('finds the last sync that stands after a rollback of a rollback', async () => {
    await using t = await setup(someRows(3));
    const put = (name: string): void =>
      t.source.put({ id: 'r00001', updated_at: '2026-01-01T00:00:00Z', name });
    for (const job of [1, 2, 3]) {
      put(`of job ${job}`);
      await t.run(`sync --api_job_id ${job}`);
    }
    await t.run('rollback --api_job_id 4 --before 3');
    await t.run('rollback --api_job_id 5 --before 2');
    await t.run('rollback --api_job_id 6 --before 5');
    expect((await t.names())?.['r00001'], 'the third is undone still').toBe('of job 2');
    expect((await t.run('rollback --api_job_id 7')).code).toBe(EXIT.ok);
    expect((await t.names())?.['r00001'], 'so the second is the last that stands').toBe('of job 1');
  });

  it('restores only the records of a job, and keeps later changes and the watermark', async () => {
    await using t = await setup(someRows(20));
    await t.run('sync --api_job_id 1');
    for (const id of ['r00001', 'r00002']) t.source.rows.delete(id);
    t.source.put({ id: 'r00003', updated_at: '2026-01-01T00:00:00Z', name: 'changed' });
    await t.run('sync --api_job_id 2');
    t.source.put({ id: 'r00004', updated_at: '2026-01-02T00:00:00Z', name: 'later' });
    await t.run('sync --api_job_id 3');
    const { watermark } = await t.sink();
    await t.run('rollback --api_job_id 4 --before 2 --only --preview');
    const preview = t.receiver.reports.at(-1)?.rollback_preview;
    expect(preview).toMatchObject({ added: 2, updated: 1, removed: 0, some_records: true });
    expect(preview?.watermark).toBe(watermark?.toISOString());
    expect((await t.run('rollback --api_job_id 5 --before 2 --only')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual({ ...namesOf(someRows(20)), r00004: 'later' });
    expect((await t.sink()).watermark).toEqual(watermark);
    // The syncs still stand: the last one is undone next.
    expect((await t.run('rollback --api_job_id 6')).code).toBe(EXIT.ok);
    expect((await t.names())?.['r00004']).toBe('row 4');
  });

  it('restores single records by id, exactly as previewed, and the next sync does not remove them', async () => {
    await using t = await setup([
      ...someRows(20),
      { id: 'ä b', updated_at: '2025-01-01T00:00:00Z', name: 'odd' },
    ]);
    await t.run('sync --api_job_id 1');
    for (const id of ['r00001', 'r00002', 'ä b']) t.source.rows.delete(id);
    await t.run('sync --api_job_id 2');
    const some = `--before 2 --id ${encodeURIComponent('ä b')} --id r00001`;
    await t.run(`rollback --api_job_id 3 ${some} --preview`);
    const preview = t.receiver.reports.at(-1)?.rollback_preview;
    expect(preview).toMatchObject({ added: 2, updated: 0, removed: 0 });
    const other = await t.run(`rollback --api_job_id 4 --before 2 --id r00001 --expect ${preview?.digest}`);
    expect(other.code, 'another limit is another effect').toBe(EXIT.previewChanged);
    expect((await t.run(`rollback --api_job_id 5 ${some} --expect ${preview?.digest}`)).code).toBe(EXIT.ok);
    const restored = await t.names();
    expect(restored).toMatchObject({ r00001: 'row 1', 'ä b': 'odd' });
    expect(restored).not.toHaveProperty('r00002');
    await t.run('sync --api_job_id 6');
    expect(await t.names()).toEqual(restored);
    expect((await t.run('rollback --api_job_id 7 --before 5')).code).toBe(EXIT.ok);
    expect(await t.names(), 'a rollback of some records can be undone').not.toHaveProperty('r00001');
  });

  it('is applied once by a chain of resumed jobs (A1)', async () => {
    await using t = await setup(someRows(100));
    const uid = (job: number): string => `00000000-0000-4000-8000-${String(job).padStart(12, '0')}`;
    const of = (job: number, origin = job) => ({
      SYNCRATOR_JOB_UID: uid(job),
      SYNCRATOR_ORIGIN_UID: uid(origin),
    });
    await t.run('sync --api_job_id 1', of(1));
    t.source.put({ id: 'r00001', updated_at: '2026-01-01T00:00:00Z', name: 'second' });
    await t.run('sync --api_job_id 2', of(2));
    t.source.put({ id: 'r00001', updated_at: '2026-01-02T00:00:00Z', name: 'third' });
    await t.run('sync --api_job_id 3', of(3));
    await t.run('rollback --api_job_id 4', of(4));
    expect((await t.run('rollback --api_job_id 5', of(5, 4))).code).toBe(EXIT.ok);
    expect((await t.names())?.['r00001']).toBe('second');
    await t.run('rollback --api_job_id 6', of(6));
    expect((await t.names())?.['r00001'], 'another rollback goes further').toBe('row 1');
  });

  it('keeps the good data when the bad sync is retried (A10)', async () => {
    await using t = await setup(someRows(100));
    await t.run('sync --api_job_id 1');
    for (const { id } of someRows(9)) t.source.rows.delete(id);
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      expect((await t.run('sync --api_job_id 2')).code).toBe(EXIT.ok);
      expect(t.receiver.reports.at(-1)).toMatchObject({ deleted: 9 });
    }
    await t.run('rollback --api_job_id 3');
    expect(Object.keys((await t.names()) ?? {})).toHaveLength(100);
  });

  it('restores records that later syncs keep until --force-delete', async () => {
    await using t = await setup(someRows(100));
    await t.run('sync --api_job_id 1');
    t.source.rows.delete('r00001');
    await t.run('sync --api_job_id 2');
    await t.run('rollback --api_job_id 3');
    await t.run('sync --api_job_id 4');
    expect(await t.names()).toHaveProperty('r00001');
    expect(t.receiver.reports.at(-1)).toMatchObject({ kept: 1 });
    expect(t.receiver.reports.at(-1)?.warnings).toContainEqual(
      expect.stringContaining('restored by a rollback'),
    );
    await t.run('delete --api_job_id 5');
    expect(await t.names()).toHaveProperty('r00001');
    await t.run('sync --api_job_id 6 --force-delete');
    expect(await t.names()).not.toHaveProperty('r00001');
  });

  it('restores the watermark, so that the next delta misses nothing', async () => {
    await using t = await setup(someRows(10));
    await t.run('sync --api_job_id 1');
    const day = 86_400_000;
    await t.query(`UPDATE syncrator.sinks SET watermark = now() - interval '3 days'`);
    const before = (await t.sink()).watermark;
    t.source.put({ id: 'r00002', updated_at: new Date(Date.now() - day).toISOString(), name: 'changed' });
    await t.run('sync --api_job_id 2');
    expect((await t.sink()).watermark?.getTime()).toBeGreaterThan(Date.now() - day);
    await t.run('rollback --api_job_id 3');
    expect((await t.sink()).watermark).toEqual(before);
    expect((await t.names())?.['r00002']).toBe('row 2');
    expect((await t.run('delta --api_job_id 4')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(t.source.rows.values()));
  });

  it('previews its effect without changing anything, and --expect enforces the preview', async () => {
    await using t = await setup(someRows(100));
    await t.run('sync --api_job_id 1');
    t.source.rows.delete('r00001');
    t.source.put({ id: 'r00002', updated_at: '2026-01-01T00:00:00Z', name: 'other', size: 1 });
    t.source.put({ id: 'new', updated_at: '2026-01-01T00:00:00Z', name: 'new' });
    await t.run('sync --api_job_id 2');
    await t.query(`UPDATE cities SET record = record || '{"by": "hand"}' WHERE id = 'new'`);
    const live = await t.md5();
    expect((await t.run('rollback --preview --before 2 --api_job_id 3')).code).toBe(EXIT.ok);
    expect(await t.md5()).toBe(live);
    const preview = t.receiver.reports.at(-1)?.rollback_preview;
    expect(preview).toMatchObject({
      before: { job_id: 2, action: 'sync' },
      added: 1,
      updated: 1,
      removed: 1,
      changed_by_others: 1,
      sample: [
        { id: 'r00001', change: 'added', fields: [] },
        { id: 'new', change: 'removed', fields: [] },
        { id: 'r00002', change: 'updated', fields: ['updated_at', 'name', 'size'] },
      ],
    });
    await t.query(`UPDATE cities SET record = '{}' WHERE id = 'r00002'`);
    const changed = await t.md5();
    expect((await t.run(`rollback --before 2 --expect ${preview?.digest} --api_job_id 4`)).code).toBe(
      EXIT.previewChanged,
    );
    expect(await t.md5()).toBe(changed);
    await t.run('rollback --preview --before 2 --api_job_id 5');
    const again = t.receiver.reports.at(-1)?.rollback_preview?.digest;
    expect((await t.run(`rollback --before 2 --expect ${again} --api_job_id 6`)).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(someRows(100)));
  });

  it('purges old change sets as a prefix, and the error names the oldest one left', async () => {
    await using t = await setup(someRows(20));
    for (let job = 1; job <= 4; job += 1) {
      t.source.put({ id: 'r00001', updated_at: '2026-01-01T00:00:00Z', name: `of job ${job}` });
      await t.run(`sync --api_job_id ${job}`);
    }
    await t.query(
      `UPDATE syncrator.change_sets SET applied_at = now() - interval '40 days' WHERE job_id <= 2`,
    );
    await t.run('sync --api_job_id 5');
    expect((await t.run('rollback --before 2 --api_job_id 6')).code).toBe(EXIT.nothingToRollBack);
    expect(t.receiver.reports.at(-1)?.message).toContain('begin with the sync of job 3');
    expect((await t.run('rollback --before 3 --api_job_id 7')).code).toBe(EXIT.ok);
    expect((await t.names())?.['r00001']).toBe('of job 2');
  });

  it('never purges only a part of a job', async () => {
    await using t = await setup(someRows(20));
    await t.run('sync --api_job_id 1');
    t.source.put({ id: 'r00001', updated_at: new Date().toISOString(), name: 'changed' });
    t.source.rows.delete('r00002');
    await t.run('delta --api_job_id 2', { SYNCRATOR_STEP: '0' });
    await t.run('delete --api_job_id 2', { SYNCRATOR_STEP: '1' });
    await t.query(
      `UPDATE syncrator.change_sets SET applied_at = now() - interval '40 days' WHERE job_id = 1 OR action = 'delta'`,
    );
    await t.run('sync --api_job_id 3');
    expect((await t.run('rollback --before 2 --api_job_id 4')).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(someRows(20)));
  });

  it('purges young change sets when the history exceeds its size, and logs it', async () => {
    await using t = await setup(someRows(20));
    for (let job = 1; job <= 3; job += 1) {
      t.source.put(...someRows(20).map((row) => ({ ...row, name: `of job ${job}` })));
      await t.run(`sync --api_job_id ${job}`);
    }
    const ended = await t.run('sync --api_job_id 4', { KEEP_CHANGES_SIZE: '1KiB' });
    expect(ended.output).toContain('KEEP_CHANGES_SIZE');
    expect((await t.run('rollback --before 3 --api_job_id 5')).code).toBe(EXIT.nothingToRollBack);
  });
});
