/** A plan in Postgres leaves no trace, and its apply makes one change set. What every sink does: test/job/sinks/conformance/plans.ts. */

import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { someRows } from '../support/fake-source.ts';
import { apply, makePlan, runJob, stagesOf, traceOf } from '../support/plan-setup.ts';
import { namesOf, setup, type Setup } from '../support/setup.ts';

const last = (t: Setup) => t.receiver.reports.at(-1);

/** After the watermark, so that a delta finds it. */
const NOW = new Date().toISOString();

/** 40 records synchronised; then one is added, one changed and one removed at the source. */
async function changed(): Promise<Setup> {
  const t = await setup(someRows(40));
  expect(await runJob(t, 1, 'sync')).toMatchObject({ code: EXIT.ok });
  t.source.put({ id: 'new', updated_at: NOW, name: 'fresh' });
  t.source.put({ id: 'r00002', updated_at: NOW, name: 'other' });
  t.source.rows.delete('r00003');
  return t;
}

describe('a plan of a sync', () => {
  it('tells each record that would change, changes nothing, and its apply does exactly that', async () => {
    await using t = await changed();
    const before = await traceOf(t);
    const made = await makePlan(t, 2, 'sync');
    expect(await traceOf(t), 'a plan leaves no trace').toEqual(before);
    expect(made.summary).toMatchObject({
      of: 'sync',
      live: 40,
      listed: 40,
      added: 1,
      updated: 1,
      removed: 1,
      held: 0,
      kept: 0,
    });
    expect(made.summary.digest).toMatch(/^[0-9a-f]{64}$/);
    const [added, updated, removed, ...more] = made.records;
    expect(added).toMatchObject({ id: 'new', kind: 'added', before: null, after: { name: 'fresh' } });
    expect(updated).toMatchObject({ id: 'r00002', kind: 'updated', after: { name: 'other' } });
    expect(updated?.before).toMatchObject({ name: namesOf(someRows(40))['r00002'] });
    expect(updated?.after).toMatchObject({ updated_at: NOW.replace('Z', '000Z') });
    expect(removed).toMatchObject({ id: 'r00003', kind: 'removed', after: null });
    expect(removed?.before).toMatchObject({ name: namesOf(someRows(40))['r00003'] });
    expect(more).toEqual([]);
    const report = last(t);
    expect(report).toMatchObject({ phase: 'done', failed: 0 });
    expect(report, 'a job that changed nothing has no counts').not.toHaveProperty('added');
    expect(report).not.toHaveProperty('watermark');

    t.source.put({ id: 'after the plan', updated_at: '2026-01-03T00:00:00Z', name: 'late' });
    const ended = await apply(t, 3, made);
    expect(ended, ended.output).toMatchObject({ code: EXIT.ok });
    const { r00003: _, ...rest } = namesOf(someRows(40));
    expect(await t.names()).toEqual({ ...rest, new: 'fresh', r00002: 'other' });
    expect((await t.sink()).watermark?.toISOString()).toBe(made.summary.watermark);
    expect(last(t)).toMatchObject({
      phase: 'done',
      added: 1,
      updated: 1,
      deleted: 1,
      watermark: made.summary.watermark,
      listing: 'complete',
    });
    expect(await stagesOf(t), 'nothing of the plan is left').toEqual([]);
    expect((await runJob(t, 4, 'rollback')).code, 'the change is a sync of its own').toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(someRows(40)));
  });

  it('of an empty table tells all records, and its apply creates the table', async () => {
    await using t = await setup(someRows(30));
    const made = await makePlan(t, 1, 'sync');
    expect(await t.names()).toBeNull();
    expect(made.summary).toMatchObject({ live: 0, listed: 30, added: 30, updated: 0, removed: 0 });
    expect(made.records.map(({ id }) => id)).toEqual(someRows(30).map(({ id }) => id));
    expect(await apply(t, 2, made)).toMatchObject({ code: EXIT.ok });
    expect(await t.names()).toEqual(namesOf(someRows(30)));
    expect((await runJob(t, 3, 'delta')).code).toBe(EXIT.ok);
  });

  it('that a guard refuses fails as the sync would, and keeps no plan', async () => {
    await using t = await changed();
    for (const { id } of someRows(30)) t.source.put({ id, updated_at: '2026-01-02T00:00:00Z', name: 'x' });
    const limit = { SYNCRATOR_MAX_UPDATE_PERCENT: '50' };
    const planned = await runJob(t, 2, 'plan --of sync', limit);
    const message = last(t)?.message;
    expect(planned.code).toBe(EXIT.updateGuard);
    expect((await runJob(t, 3, 'sync', limit)).code).toBe(EXIT.updateGuard);
    expect(last(t)?.message).toBe(message);
    expect(t.receiver.plan).toBeNull();
    expect(await stagesOf(t)).toEqual([]);
  });

  it('shows what would wait for an answer, and its apply holds exactly that', async () => {
    await using t = await setup(someRows(40));
    await runJob(t, 1, 'sync');
    for (const { id } of someRows(10)) t.source.rows.delete(id);
    const before = await traceOf(t);
    const made = await makePlan(t, 2, 'sync');
    expect(await traceOf(t)).toEqual(before);
    expect(made.summary).toMatchObject({ removed: 0, held: 10, kept: 10 });
    expect(made.records.map(({ kind }) => kind)).toEqual(Array.from({ length: 10 }, () => 'held'));
    expect(last(t)?.warnings).toContain('10 removals would wait for an answer');
    const told = t.receiver.waiting;
    expect(told, 'nothing is told to wait yet').toEqual([]);
    expect(await apply(t, 3, made)).toMatchObject({ code: EXIT.ok });
    expect(last(t)).toMatchObject({ deleted: 0, held: 10 });
    expect(t.receiver.waiting?.map(({ id }) => id)).toEqual(someRows(10).map(({ id }) => id));

    const lifted = await makePlan(t, 4, 'sync --force-delete');
    expect(lifted.summary).toMatchObject({ removed: 10, held: 0 });
    expect(await apply(t, 5, lifted)).toMatchObject({ code: EXIT.ok });
    expect(Object.keys((await t.names()) ?? {})).toHaveLength(30);
    expect(t.receiver.waiting).toEqual([]);
  });
});

it('a plan of a delta offers again what the table refused, and so does its apply', async () => {
  await using t = await setup(someRows(5));
  await runJob(t, 1, 'sync');
  await t.query(`ALTER TABLE cities ADD CHECK (record->>'name' <> 'bad')`);
  t.source.put({ id: 'r00002', updated_at: '2026-01-01T00:00:00Z', name: 'bad' });
  await runJob(t, 2, 'sync', { MAX_REJECTED: '1' });
  await t.query('ALTER TABLE cities DROP CONSTRAINT cities_record_check');
  t.source.rows.delete('r00002');
  const made = await makePlan(t, 3, 'delta');
  expect(made.summary).toMatchObject({ updated: 1, listed: 0 });
  const again = await makePlan(t, 4, 'delta');
  expect(again.summary).toMatchObject({ updated: 1, listed: 0 });
  expect(await apply(t, 5, again)).toMatchObject({ code: EXIT.ok });
  expect((await t.names())?.['r00002']).toBe('bad');
});

it.each([
  ['SINK_COLUMNS would change the columns', 'plan --of sync', { SINK_COLUMNS: 'name text' }, EXIT.failed],
  ['SOURCE=gitlab writes items', 'plan --of sync', gitlab(), EXIT.usage],
] as const)(
  'a plan is refused with a reason and touches nothing if %s',
  async (_, options, environment, code) => {
    await using t = await changed();
    const before = await traceOf(t);
    expect(await runJob(t, 2, options, environment)).toMatchObject({ code });
    expect(last(t)?.message).toMatch(/nothing was (touched|changed)/);
    expect(await traceOf(t)).toEqual(before);
  },
);

function gitlab(): Record<string, string> {
  return { SOURCE: 'gitlab', GITLAB_URL: 'http://127.0.0.1:9', GITLAB_TOKEN: 'x', GITLAB_GROUP: 'g' };
}
