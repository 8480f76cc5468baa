/** A hundred listeners while fifty jobs change, one of them cut again and again: none misses anything. */
import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { oneOfMany, openStream, type Told } from '../event-stream.ts';
import { type Api, setup } from '../support.ts';

const JOBS = 50;
const LISTENERS = 99;
/** The last job changes this often; those before it stop earlier, one after the other. */
const CHANGES = 40;
const EVERY_MS = 50;

let api: Api;
beforeAll(async () => {
  api = await setup();
});
afterAll(() => api[Symbol.asyncDispose]());

/** The newest version of each job that a listener knows. */
function newest(told: readonly Told[], known = new Map<number, number>()): Map<number, number> {
  for (const { event, data } of told) {
    const { id, version } = data as { id: number; version: number };
    if (event === 'job') known.set(id, Math.max(known.get(id) ?? 0, version));
  }
  return known;
}

it('100 listeners end with the state of the database, also one that is cut again and again', async () => {
  const { rows } = await sql<{
    id: number;
  }>`INSERT INTO jobs (uid, env, target, action_name, action, is_tag, options,
      runner, steps_spec, spec_hash, "trigger", requested_by, status)
    SELECT gen_random_uuid(), 'dev', 'live-' || n, 'sync', 'sync', 'latest', '', 'process', '[]', '', 'api', 'test',
      'running' FROM generate_series(1, ${JOBS}::int) n RETURNING id`.execute(api.db);
  await using stack = new AsyncDisposableStack();
  const listeners = await Promise.all(
    Array.from({ length: LISTENERS }, async (_, n) =>
      stack.use(await openStream(api, '/events', { token: await oneOfMany(api, n) })),
    ),
  );
  for (const { until } of listeners) await until('ready');

  let isOver = false;
  const changes = Promise.all(
    rows.map(async ({ id }, at) => {
      for (let n = 0; n < (CHANGES * (at + 1)) / JOBS; n += 1) {
        await sql`UPDATE jobs SET status_detail = ${`change ${n}`} WHERE id = ${id}`.execute(api.db);
        await wait(EVERY_MS);
      }
    }),
  ).finally(() => {
    isOver = true;
  });
  const known = new Map<number, number>();
  let lastEventId: string | undefined;
  let cuts = 0;
  for (; !isOver; cuts += 1) {
    {
      await using stream = await openStream(api, '/events', { lastEventId });
      await wait(Math.random() * 100);
      newest(stream.told, known);
      lastEventId = stream.told.findLast(({ id }) => id !== undefined)?.id ?? lastEventId;
    }
    await wait(Math.random() * 100); // meanwhile jobs change, some for the last time, without this listener
  }
  await changes;
  expect(cuts).toBeGreaterThan(5);

  const stored = await api.db.selectFrom('jobs').select(['id', 'version']).orderBy('id').execute();
  const expected = stored.map(({ id, version }) => [id, version]);
  const sorted = (of: Map<number, number>) => [...of].toSorted(([a], [b]) => a - b);
  await using back = await openStream(api, '/events', { lastEventId });
  await expect.poll(() => sorted(newest(back.told, known)), { timeout: 5_000 }).toEqual(expected);
  for (const { told } of listeners)
    await expect.poll(() => sorted(newest(told)), { timeout: 5_000 }).toEqual(expected);
  expect(listeners.flatMap(({ told }) => told).filter(({ event }) => event === 'reset')).toEqual([]);
});
