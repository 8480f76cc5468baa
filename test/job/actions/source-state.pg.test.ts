/** The STATE of a connector in Postgres: what plans, a forgotten record, a take-over and a long history make of it. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { drop, settingsOf } from '../sources/connector/support/open.ts';
import { apply, makePlan, runJob } from '../support/plan-setup.ts';
import { setup } from '../support/setup.ts';

/** In the STATE. */
const SECRET = 'Zebra-crossing-9';
const at = (minute: number): string => `2026-11-01T10:${String(minute).padStart(2, '0')}:00Z`;

/** A sink with 30 records of a connector, by a sync of job 1 and a delta of job 2. */
async function connected() {
  const folder = drop();
  const tell = folder.path('told');
  const rows = new Map<string, Record<string, unknown>>();
  const put = (id: string, minute: number, more: object = {}): void => {
    rows.set(id, { id, name: `at ${minute}`, updated_at: at(minute), ...more });
    folder.records([...rows.values()]);
  };
  for (let nth = 0; nth < 30; nth += 1) put(`p${String(nth).padStart(3, '0')}`, 0);
  const t = await setup([]);
  const environment = settingsOf(
    { ...folder.records([...rows.values()]), tell, cursor: 'updated_at', padding: SECRET },
    { SOURCE_UPDATED_AT: 'updated_at' },
  );
  let nth = 0;
  const next = (): number => {
    rmSync(tell, { force: true });
    return (nth += 1);
  };
  /** The moment of the STATE that the last run gave to the connector; null: none. */
  const since = (): string | null => {
    const lines = existsSync(tell) ? readFileSync(tell, 'utf8').trim().split('\n') : [];
    const told = lines.map((line) => JSON.parse(line) as { verb: string; state: string | null });
    const first = told.find(({ verb }) => verb === 'read');
    return /"since":"([^"]*)"/.exec(first?.state ?? '')?.[1] ?? null;
  };
  const run = async (options: string): Promise<string | null> => {
    const { code, output } = await runJob(t, next(), options, environment);
    expect([code, output]).toEqual([EXIT.ok, output]);
    return since();
  };
  await run('sync');
  await run('delta');
  return { t, put, run, next, since, environment, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

test('the STATE of a planned delta counts once the plan is applied, with the deletions that it tells', async () => {
  await using c = await connected();
  c.put('p001', 5);
  c.put('p002', 5, { _ab_cdc_deleted_at: at(5) });
  const plan = await makePlan(c.t, c.next(), 'delta', c.environment);
  expect(c.since()).toBe(at(0));
  expect(JSON.stringify([plan, c.t.receiver.reports])).not.toContain(SECRET);
  const ended = await apply(c.t, c.next(), plan, c.environment);
  expect([ended.code, ended.output]).toEqual([EXIT.ok, ended.output]);
  expect(c.t.receiver.reports.at(-1)).toMatchObject({ updated: 1, deleted: 1 });
  expect(await c.run('delta')).toBe(at(5));
  const again = await makePlan(c.t, c.next(), 'delta', c.environment);
  expect(await c.run('delta')).toBe(at(5));
  expect((await apply(c.t, c.next(), again, c.environment)).code).toBe(EXIT.planStale);
  expect(await c.run('rollback --before 4')).toBeNull();
  expect(await c.run('delta'), 'before the applied plan').toBe(at(0));
});

test('no STATE is left once a record is forgotten, and none counts after a take-over', async () => {
  await using c = await connected();
  c.put('p001', 5);
  expect(await c.run('delta')).toBe(at(0));
  const states = async () => await c.t.query('SELECT change_set FROM syncrator.source_states');
  expect(await states()).toHaveLength(2);
  await c.run('forget-record --id p001');
  expect(await states()).toEqual([]);
  expect(await c.run('delta')).toBeNull();
  expect(await c.run('delta')).toBe(at(5));
  await c.run('take-over');
  expect(await c.run('delta')).toBeNull();
});

test('a delta of a program that knows no STATE leaves none, and a delete of it leaves it as it is', async () => {
  await using c = await connected();
  const wrote = async (action: string): Promise<unknown> =>
    await c.t.query(
      `INSERT INTO syncrator.change_sets (sink, step_key, action, state, applied_at)
       SELECT id, 'of an older program: ${action}', '${action}', 'applied', now() FROM syncrator.sinks`,
    );
  await wrote('delete');
  expect(await c.run('delta')).toBe(at(0));
  await wrote('delta');
  expect(await c.run('delta')).toBeNull();
  expect(await c.run('delta')).toBe(at(0));
});

test('at most 100 of them are kept', async () => {
  await using c = await connected();
  await c.t.query(
    `INSERT INTO syncrator.change_sets (sink, step_key, action, state, applied_at)
     SELECT s.id, 'old ' || n, 'delta', 'applied', now() FROM syncrator.sinks s, generate_series(1, 150) n`,
  );
  await c.t.query(
    `INSERT INTO syncrator.source_states SELECT sink, id, '{}' FROM syncrator.change_sets WHERE step_key LIKE 'old %'`,
  );
  await c.run('delta');
  const kept = await c.t.query<{ state: string }>(
    'SELECT state FROM syncrator.source_states ORDER BY change_set',
  );
  expect(kept).toHaveLength(100);
  expect(kept.at(-1)?.state).toContain('since');
  expect(await c.run('delta')).toBe(at(0));
});
