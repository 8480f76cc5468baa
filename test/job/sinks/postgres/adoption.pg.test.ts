/** A database of version 0.1.0 is adopted without any act of the operator. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { someRows } from '../../support/fake-source.ts';
import { namesOf, type Setup, setup } from '../../support/setup.ts';

const FIXTURE = readFileSync(new URL('./fixtures/sink-0.1.0.sql', import.meta.url), 'utf8');

/** As that version made it: `cities` had a delta after two syncs, `towns` had a rollback. */
async function oldDatabase(): Promise<Setup> {
  const t = await setup(someRows(40));
  await t.query(FIXTURE);
  return t;
}

describe('a database of version 0.1.0', () => {
  it('can be synced; the old tables stay, and the log says that they may be dropped', async () => {
    await using t = await oldDatabase();
    const before = await t.tables();
    const { code, output } = await t.run('sync --api_job_id 14');
    expect(code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(someRows(40)));
    expect(output).toMatch(/may be dropped: "public"."cities__previous"/);
    expect(await t.tables()).toEqual(before);
    expect((await t.run('sync --api_job_id 15')).output).not.toContain('may be dropped');
  });

  it('keeps its watermark', async () => {
    await using t = await oldDatabase();
    t.source.rows.clear();
    t.source.put({ id: 'd2', updated_at: '2026-11-29T12:00:00Z', name: 'later' });
    expect((await t.run('delta --api_job_id 14')).code).toBe(EXIT.ok);
    expect(t.source.requests[0]?.['updated_since']).toBe('2026-11-29T11:58:09.000Z');
    expect(await t.names()).toMatchObject({ d1: 'by delta', d2: 'later' });
  });

  it('can be rolled back to its kept generation and watermark', async () => {
    await using t = await oldDatabase();
    const previous = await t.md5('cities__previous');
    expect((await t.run('rollback --api_job_id 14')).code).toBe(EXIT.ok);
    expect(await t.md5()).toBe(previous);
    expect((await t.sink()).watermark).toEqual(new Date('2026-11-28T11:58:09Z'));
  });

  it('has nothing to roll back if its last action was a rollback', async () => {
    await using t = await oldDatabase();
    const before = await t.md5('towns');
    expect((await t.run('rollback --api_job_id 24', { SINK_TABLE: 'towns' })).code).toBe(
      EXIT.nothingToRollBack,
    );
    expect(await t.md5('towns')).toBe(before);
  });

  it('keeps its fence, and programs of version 0.1.0 are fenced afterwards', async () => {
    await using t = await oldDatabase();
    expect((await t.run('sync --api_job_id 12')).code).toBe(EXIT.fenced);
    expect((await t.run('sync --api_job_id 13')).code).toBe(EXIT.ok);
    expect(
      await t.query(`SELECT highest_job_id::text FROM syncrator_sink_state WHERE sink_table = 'cities'`),
    ).toEqual([{ highest_job_id: '9223372036854775807' }]);
  });

  it('ignores a table of another program with the name of the kept generation', async () => {
    await using t = await oldDatabase();
    await t.query('ALTER TABLE cities__previous ADD COLUMN theirs int');
    expect((await t.run('sync --api_job_id 14')).output).not.toContain('may be dropped');
    expect(
      await t.query(`SELECT count(*)::int AS n FROM syncrator.change_sets WHERE step_key = 'version 0.1.0'`),
    ).toEqual([{ n: 0 }]);
  });
});
