/** A plan that no longer holds is refused, and nothing is changed then. */

import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { someRows } from '../support/fake-source.ts';
import { uidOf } from '../support/attempt.ts';
import { apply, makePlan, runJob, stagesOf, traceOf } from '../support/plan-setup.ts';
import { setup, type Setup } from '../support/setup.ts';

const last = (t: Setup) => t.receiver.reports.at(-1);
const WAITING = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
const NOW = new Date().toISOString();

async function changed(): Promise<Setup> {
  const t = await setup(someRows(40));
  expect(await runJob(t, 1, 'sync')).toMatchObject({ code: EXIT.ok });
  t.source.put({ id: 'new', updated_at: NOW, name: 'fresh' });
  t.source.put({ id: 'r00002', updated_at: NOW, name: 'other' });
  t.source.rows.delete('r00003');
  return t;
}

/** A set that is open changes nothing; the rest stays as it was. */
async function untouched(t: Setup) {
  const { sets: _, ...trace } = await traceOf(t);
  return trace;
}

describe('a plan of a sync is stale', () => {
  it.each([
    ['a sync', 'sync'],
    ['a delta', 'delta'],
    ['a delete', 'delete'],
    ['a rollback', `rollback --before ${uidOf(2)}`],
    ['a take-over', 'take-over'],
    ['a record was forgotten', 'forget-record --id r00009'],
  ])('after %s', async (_, options) => {
    await using t = await setup(someRows(40));
    await runJob(t, 1, 'sync');
    t.source.put({ id: 'r00001', updated_at: NOW, name: 'second' });
    await runJob(t, 2, 'sync');
    t.source.put({ id: 'new', updated_at: NOW, name: 'fresh' });
    t.source.rows.delete('r00003');
    const made = await makePlan(t, 3, 'sync');
    const ended = await runJob(t, 4, options);
    expect(ended.code, ended.output).toBe(EXIT.ok);
    const before = await untouched(t);
    expect(await apply(t, 5, made)).toMatchObject({ code: EXIT.planStale });
    expect(last(t)?.message).toContain('nothing was changed, since the plan no longer holds');
    expect(await untouched(t)).toEqual(before);
    expect((await runJob(t, 6, 'sync')).code, 'the next sync works').toBe(EXIT.ok);
    expect(await stagesOf(t)).toEqual([]);
  });

  it('after a job of an older program, which does not drop the plan', async () => {
    await using t = await changed();
    const made = await makePlan(t, 2, 'sync');
    await t.query('CREATE TABLE saved AS SELECT * FROM syncrator.plans');
    await runJob(t, 3, 'delta');
    await t.query('INSERT INTO syncrator.plans SELECT * FROM saved');
    expect(await apply(t, 4, made)).toMatchObject({ code: EXIT.planStale });
    expect(last(t)?.message).toContain('a job has changed the data since it was made');
  });

  it.each([
    ['changed', `UPDATE cities SET record = '{"name": "by hand"}' WHERE id = 'r00002'`],
    [
      'changed, though the plan leaves it alone,',
      `UPDATE cities SET record = '{"name": "by hand"}' WHERE id = 'r00009'`,
    ],
    ['removed', `DELETE FROM cities WHERE id = 'r00003'`],
    ['added', `INSERT INTO cities VALUES ('strange', now(), '{"name": "by hand"}')`],
    ['added that the plan adds', `INSERT INTO cities VALUES ('new', now(), '{"name": "by hand"}')`],
  ])('after somebody %s a live record', async (_, statement) => {
    await using t = await changed();
    const made = await makePlan(t, 2, 'sync');
    await t.query(statement);
    const before = await untouched(t);
    expect(await apply(t, 3, made)).toMatchObject({ code: EXIT.planStale });
    expect(last(t)?.message).toContain('the data have changed since it was made');
    expect(await untouched(t)).toEqual(before);
    const anew = await makePlan(t, 4, 'sync --force-delete');
    expect(await apply(t, 5, anew)).toMatchObject({ code: EXIT.ok });
  });

  it('after somebody changes a record while the apply runs', async () => {
    await using t = await changed();
    const made = await makePlan(t, 2, 'sync');
    await t.query('BEGIN');
    await t.query(`UPDATE cities SET record = '{"name": "by hand"}' WHERE id = 'r00002'`);
    const applying = apply(t, 3, made);
    const watcher = new Client({ connectionString: t.sinkUrl });
    await watcher.connect();
    await expect
      .poll(async () => (await watcher.query(WAITING)).rowCount, { timeout: 30_000 })
      .toBeGreaterThan(0);
    await watcher.end();
    await t.query('COMMIT');
    expect(await applying).toMatchObject({ code: EXIT.planStale });
    expect(await t.names()).toMatchObject({ r00002: 'by hand', r00003: expect.any(String) });
  });

  it('once a newer plan replaces it, and that one can be applied', async () => {
    await using t = await changed();
    const first = await makePlan(t, 2, 'sync');
    const second = await makePlan(t, 3, 'sync');
    expect(await stagesOf(t), 'one load is kept').toHaveLength(1);
    expect(await apply(t, 4, first)).toMatchObject({ code: EXIT.planStale });
    expect(await apply(t, 5, second)).toMatchObject({ code: EXIT.ok });
  });

  it('with another digest, after seven days, and after a crash that empties the load', async () => {
    await using t = await changed();
    const made = await makePlan(t, 2, 'sync');
    const other = { ...made, summary: { ...made.summary, digest: '0'.repeat(64) } };
    expect(await apply(t, 3, other)).toMatchObject({ code: EXIT.planStale });
    expect(last(t)?.message).toContain('has another digest');
    await t.query(`UPDATE syncrator.plans SET born = now() - interval '7 days 1 minute'`);
    expect(await apply(t, 4, made)).toMatchObject({ code: EXIT.planStale });
    expect(last(t)?.message).toContain('older than 7 days');
    await t.query('UPDATE syncrator.plans SET born = now()');
    await t.query('TRUNCATE syncrator.loads');
    expect(await apply(t, 5, made)).toMatchObject({ code: EXIT.planStale });
    expect(last(t)?.message).toContain('a crash of Postgres');
  });

  it('once it is applied, for any other job; a repeated attempt tells the same counts', async () => {
    await using t = await changed();
    const made = await makePlan(t, 2, 'sync');
    expect(await apply(t, 3, made)).toMatchObject({ code: EXIT.ok });
    const { added, updated, deleted } = last(t) ?? {};
    expect(await apply(t, 3, made, { SYNCRATOR_ATTEMPT: '2' })).toMatchObject({ code: EXIT.ok });
    expect(last(t)).toMatchObject({ added, updated, deleted });
    const before = await untouched(t);
    expect(await apply(t, 4, made)).toMatchObject({ code: EXIT.planStale });
    expect(await untouched(t)).toEqual(before);
  });
});

it('a plan stays good beside jobs that fail, and beside changes of records that it does not compare', async () => {
  await using t = await changed();
  const made = await makePlan(t, 2, 'delta');
  const [stage] = await stagesOf(t);
  for (const { id } of someRows(30)) t.source.put({ id, updated_at: NOW, name: 'x' });
  expect((await runJob(t, 3, 'sync', { SYNCRATOR_MAX_UPDATE_PERCENT: '10' })).code).toBe(EXIT.updateGuard);
  expect((await runJob(t, 4, 'plan --of sync', { SYNCRATOR_MAX_UPDATE_PERCENT: '10' })).code).toBe(
    EXIT.updateGuard,
  );
  expect(await stagesOf(t)).toEqual([stage]);
  await t.query(`UPDATE cities SET record = '{"name": "by hand"}' WHERE id = 'r00009'`);
  expect(await apply(t, 5, made)).toMatchObject({ code: EXIT.ok });
  expect(await t.names()).toMatchObject({ new: 'fresh', r00002: 'other', r00009: 'by hand' });
});

it('forgetting a record erases it from the kept plan', async () => {
  await using t = await changed();
  await makePlan(t, 2, 'sync');
  expect((await runJob(t, 3, 'forget-record --id new')).code).toBe(EXIT.ok);
  expect(await stagesOf(t)).toEqual([]);
  expect(await t.query('SELECT * FROM syncrator.plans')).toEqual([]);
});

it('the load of an expired plan goes with the next load', async () => {
  await using t = await changed();
  await makePlan(t, 2, 'sync');
  const [stage] = await stagesOf(t);
  await t.query(`UPDATE syncrator.plans SET born = now() - interval '8 days'`);
  const limit = { SYNCRATOR_MAX_UPDATE_PERCENT: '0' };
  expect((await runJob(t, 3, 'sync', limit)).code).toBe(EXIT.updateGuard);
  expect(await stagesOf(t)).not.toContain(stage);
});
