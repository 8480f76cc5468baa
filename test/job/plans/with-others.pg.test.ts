/** Plans beside what else decides about changes: told deletions, the STATE of a connector, BASELINE, and jobs that fail. */

import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { startOaiProvider } from '../../support/oai-pmh/provider.ts';
import { someRecords, titled } from '../../support/oai-pmh/repository.ts';
import { drop, settingsOf } from '../sources/connector/support/open.ts';
import { uidOf } from '../support/attempt.ts';
import { someRows } from '../support/fake-source.ts';
import { apply, makePlan, runJob, stagesOf, traceOf } from '../support/plan-setup.ts';
import { setup, type Setup } from '../support/setup.ts';

const last = (t: Setup) => t.receiver.reports.at(-1);
const stamp = (): string => `${new Date().toISOString().slice(0, 19)}Z`;
const idOf = (nth: number): string => `oai:x:${String(nth).padStart(4, '0')}`;

/** A repository with 60 records, synchronised by job 1. */
async function repository() {
  const provider = await startOaiProvider(...someRecords(60));
  const t = await setup();
  const settings = { SOURCE: 'oai-pmh', SOURCE_URL: provider.url };
  expect(await runJob(t, 1, 'sync', settings)).toMatchObject({ code: EXIT.ok });
  return {
    provider,
    t,
    settings,
    remove: (...ids: number[]) =>
      provider.put(...ids.map((nth) => ({ ...titled(idOf(nth), stamp()), isDeleted: true }))),
    async [Symbol.asyncDispose]() {
      await t[Symbol.asyncDispose]();
      await provider[Symbol.asyncDispose]();
    },
  };
}

describe('a plan of a delta in which the source tells deletions', () => {
  it('shows them, and its apply makes them; a rollback brings them back', async () => {
    await using r = await repository();
    const { t, settings } = r;
    r.remove(1, 2);
    r.provider.put(titled(idOf(3), stamp(), 'other'), titled(idOf(99), stamp(), 'fresh'));
    const before = await traceOf(t);
    const made = await makePlan(t, 2, 'delta', settings);
    expect(await traceOf(t)).toEqual(before);
    expect(made.summary).toMatchObject({ of: 'delta', added: 1, updated: 1, removed: 2, held: 0 });
    expect(made.records.map(({ kind, id, after }) => [kind, id, after === null])).toEqual([
      ['added', idOf(99), false],
      ['updated', idOf(3), false],
      ['removed', idOf(1), true],
      ['removed', idOf(2), true],
    ]);
    const ended = await apply(t, 3, made, settings);
    expect(ended, ended.output).toMatchObject({ code: EXIT.ok });
    expect(last(t)).toMatchObject({ added: 1, updated: 1, deleted: 2 });
    expect(Object.keys((await t.names()) ?? {})).toHaveLength(59);
    expect(await runJob(t, 4, `rollback --before ${uidOf(3)}`)).toMatchObject({ code: EXIT.ok });
    expect(await t.md5()).toBe(before['rows']);
  });

  it('leaves a record that the source still has when it is asked, and so does its apply', async () => {
    await using r = await repository();
    const { t, settings, provider } = r;
    r.remove(1, 2, 3);
    provider.lie = ({ verb, identifier }, _count, usual) =>
      verb === 'GetRecord' && identifier === idOf(1)
        ? new Response(usual.replace(' status="deleted"', ''), {
            headers: { 'content-type': 'text/xml; charset=utf-8' },
          })
        : undefined;
    const made = await makePlan(t, 2, 'delta', settings);
    expect(made.summary).toMatchObject({ removed: 2, held: 0, kept: 1 });
    expect(await apply(t, 3, made, settings)).toMatchObject({ code: EXIT.ok });
    expect(last(t)).toMatchObject({ deleted: 2, kept: 1 });
    expect(await t.names()).toHaveProperty([idOf(1)]);
  });

  it('holds them above the limits, and so does its apply', async () => {
    await using r = await repository();
    const { t, settings } = r;
    r.remove(...Array.from({ length: 30 }, (_, nth) => nth + 1));
    const made = await makePlan(t, 2, 'delta', settings);
    expect(made.summary).toMatchObject({ removed: 0, held: 30, kept: 30 });
    expect(made.records.every(({ kind, after }) => kind === 'held' && after === null)).toBe(true);
    expect(await apply(t, 3, made, settings)).toMatchObject({ code: EXIT.ok });
    expect(last(t)).toMatchObject({ deleted: 0, held: 30 });
    expect(t.receiver.waiting).toHaveLength(30);
    expect(Object.keys((await t.names()) ?? {})).toHaveLength(60);
  });

  it('is stale once somebody has written a record that it removes', async () => {
    await using r = await repository();
    const { t, settings } = r;
    r.remove(1);
    const made = await makePlan(t, 2, 'delta', settings);
    await t.query(`UPDATE cities SET updated_at = now() + interval '1 day' WHERE id = $1`, [idOf(1)]);
    expect(await apply(t, 3, made, settings)).toMatchObject({ code: EXIT.planStale });
    expect(await t.names()).toHaveProperty([idOf(1)]);
  });
});

it('the STATE of a connector moves with the apply of a delta, and not with its plan', async () => {
  const folder = drop();
  const tell = folder.path('told');
  const at = (minute: number) => `2026-11-01T10:${String(minute).padStart(2, '0')}:00Z`;
  const rows = new Map<string, { id: string; name: string; updated_at: string }>(
    someRows(30).map(({ id }) => [id, { id, name: 'first', updated_at: at(0) }] as const),
  );
  const settings = () =>
    settingsOf(
      { ...folder.records([...rows.values()]), tell, cursor: 'updated_at' },
      { SOURCE_UPDATED_AT: 'updated_at' },
    );
  await using t = await setup();
  expect(await runJob(t, 1, 'sync', settings())).toMatchObject({ code: EXIT.ok });
  expect(await runJob(t, 2, 'delta', settings())).toMatchObject({ code: EXIT.ok });
  const states = async () =>
    await t.query<{ state: string }>('SELECT state FROM syncrator.source_states ORDER BY change_set');
  const [before] = await states();
  rows.set('new', { id: 'new', name: 'fresh', updated_at: at(5) });
  const made = await makePlan(t, 3, 'delta', settings());
  expect(made.summary).toMatchObject({ added: 1 });
  expect(await states()).toEqual([before]);
  expect(await apply(t, 4, made, settings())).toMatchObject({ code: EXIT.ok });
  expect((await states()).at(-1)?.state).toContain(at(5));
  rows.set('later', { id: 'later', name: 'fresh', updated_at: at(6) });
  const ended = await runJob(t, 5, 'delta', settings());
  expect(ended.output).toContain('since the STATE of the last delta');
  expect(last(t)).toMatchObject({ added: 1, updated: 0 });
});

describe('with BASELINE=hold', () => {
  const HOLD = { BASELINE: 'hold' };
  const LIVE = 200;
  /** Seven quiet nights: each a plan and its apply. */
  async function afterNights(): Promise<Setup> {
    const t = await setup(someRows(LIVE));
    expect(await runJob(t, 1, 'sync')).toMatchObject({ code: EXIT.ok });
    for (let night = 1; night <= 7; night += 1) {
      const made = await makePlan(t, 2 * night, 'sync', HOLD);
      expect(await apply(t, 2 * night + 1, made)).toMatchObject({ code: EXIT.ok });
    }
    return t;
  }

  it('a plan of an unusual loss shows what would wait; its apply says that the loss is unusual', async () => {
    await using t = await afterNights();
    for (const { id } of someRows(16)) t.source.rows.delete(id);
    const before = await traceOf(t);
    const made = await makePlan(t, 20, 'sync', HOLD);
    expect(await traceOf(t)).toEqual(before);
    expect(made.summary).toMatchObject({ removed: 0, held: 16, kept: 16 });
    expect(last(t)?.unusual).toMatchObject([{ measure: 'removed', count: 16 }]);
    expect(await apply(t, 21, made, HOLD)).toMatchObject({ code: EXIT.ok });
    expect(last(t)).toMatchObject({ deleted: 0, held: 16 });
    expect(t.receiver.pages.at(-1)).toMatchObject({ reason: 'anomaly' });
  });

  it('a plan of a jump fails as the sync would; --accept-jump plans it', async () => {
    await using t = await afterNights();
    t.source.put(...someRows(LIVE + 20));
    const before = await traceOf(t);
    expect(await runJob(t, 20, 'plan --of sync', HOLD)).toMatchObject({ code: EXIT.unusualJump });
    expect(await traceOf(t)).toEqual(before);
    expect(await stagesOf(t)).toEqual([]);
    const made = await makePlan(t, 21, 'sync --accept-jump', HOLD);
    expect(await apply(t, 22, made, HOLD)).toMatchObject({ code: EXIT.ok });
    expect(Object.keys((await t.names()) ?? {})).toHaveLength(LIVE + 20);
  });
});

it('a plan outlives jobs that load, fail and tidy up, and a plan that a guard refuses', async () => {
  await using t = await setup(someRows(40));
  expect(await runJob(t, 1, 'sync')).toMatchObject({ code: EXIT.ok });
  t.source.rows.delete('r00003');
  const made = await makePlan(t, 2, 'delete');
  const kept = await stagesOf(t);
  for (const { id } of someRows(30))
    if (id !== 'r00003') t.source.put({ id, updated_at: '2026-01-02T00:00:00Z', name: 'x' });
  const limit = { SYNCRATOR_MAX_UPDATE_PERCENT: '50' };
  expect(await runJob(t, 3, 'sync', limit)).toMatchObject({ code: EXIT.updateGuard });
  expect(await runJob(t, 4, 'plan --of sync', limit)).toMatchObject({ code: EXIT.updateGuard });
  t.source.rows.clear();
  expect(await runJob(t, 5, 'delete')).not.toMatchObject({ code: EXIT.ok });
  expect(await stagesOf(t)).toEqual(kept);
  expect(await runJob(t, 6, 'story --id r00003')).toMatchObject({ code: EXIT.ok });
  expect(await apply(t, 7, made)).toMatchObject({ code: EXIT.ok });
  expect(last(t)).toMatchObject({ added: 0, updated: 0, deleted: 1 });
});

it('of two applies at once one makes the changes, and the other none', async () => {
  await using t = await setup(someRows(40));
  expect(await runJob(t, 1, 'sync')).toMatchObject({ code: EXIT.ok });
  t.source.put({ id: 'new', updated_at: '2026-01-02T00:00:00Z', name: 'fresh' });
  t.source.rows.delete('r00003');
  const made = await makePlan(t, 2, 'sync');
  const codes = (await Promise.all([apply(t, 3, made), apply(t, 4, made)])).map(({ code }) => code);
  expect(codes).toContain(EXIT.ok);
  expect(codes.filter((code) => code === EXIT.planStale || code === EXIT.fenced)).toHaveLength(1);
  expect(Object.keys((await t.names()) ?? {})).toHaveLength(40);
  const sets = await t.query(`SELECT FROM syncrator.change_sets WHERE state = 'applied'`);
  expect(sets).toHaveLength(2);
});

it('a record that is forgotten while its plan is told leaves no trace in the sink, and the plan cannot be applied', async () => {
  await using t = await setup(someRows(1_500));
  expect(await runJob(t, 1, 'sync')).toMatchObject({ code: EXIT.ok });
  for (const { id } of someRows(1_500))
    t.source.put({ id, updated_at: '2026-01-02T00:00:00Z', name: 'secret' });
  const forgot: Promise<unknown>[] = [];
  t.receiver.answerPlan = () => {
    if (forgot.length === 0) forgot.push(runJob(t, 3, 'forget-record --id r01400'));
    return undefined;
  };
  const planning = await runJob(t, 2, 'plan --of sync');
  expect(await Promise.all(forgot)).toMatchObject([{ code: EXIT.ok }]);
  for (const table of await stagesOf(t))
    expect(await t.query(`SELECT FROM syncrator.${table} WHERE id = 'r01400'`)).toEqual([]);
  const { digest = '' } = /--digest (?<digest>\S+)/.exec(planning.output)?.groups ?? {};
  const of = { uid: uidOf(2), summary: { digest } } as Parameters<typeof apply>[2];
  expect(await apply(t, 4, of)).toMatchObject({ code: EXIT.planStale });
});
