/** SOURCE_LIMIT on real workers: never more jobs of a source than it allows, in the order of their ids, and no place is lost. */
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { workflowId } from '../../src/domain/names.ts';
import { params, startSystem, type System } from '../support/system.ts';
import type { ProductPart } from '../support/product-part.ts';

const KEYS = ['one', 'two', 'three', 'four'] as const;
const LIMIT = { SOURCE_LIMIT: 'mam:2,erp:1' };
const OF_MAM = 'SOURCE_NAME=mam\n';
const LONG = '--mute --seconds 600';

let system: System;
let workers: ProductPart[];

beforeAll(async () => {
  system = await startSystem({
    params: [
      ...KEYS.map((key) => params(key, 'sync', '--mute --seconds 0.3', OF_MAM)),
      ...['a', 'b', 'c', 'd', 'e'].map((key) => params(`held_${key}`, 'sync', LONG, 'SOURCE_NAME=erp\n')),
      ...['a', 'b', 'c'].map((key) => params(`off_${key}`, 'sync', LONG, 'SOURCE_NAME=erp\n')),
      params('free', 'sync', '--mute', 'SOURCE_NAME=other\n'),
    ],
  });
  await system.startApi();
  workers = await Promise.all([
    system.startWorker('src/worker.ts', LIMIT),
    system.startWorker('src/worker.ts', LIMIT),
  ]);
  // Counts the places of mam in the transaction of every claim.
  for (const statement of [
    'CREATE TABLE places (taken integer, by_job integer, at timestamptz DEFAULT clock_timestamp())',
    `CREATE FUNCTION count_places() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       INSERT INTO places SELECT count(*), NEW.id FROM jobs WHERE source_name = 'mam' AND run_id IS NOT NULL
         AND status IN ('queued', 'waiting', 'starting', 'running', 'cancelling');
       RETURN NULL;
     END $$`,
    `CREATE TRIGGER counted_places AFTER UPDATE OF run_id ON jobs FOR EACH ROW
     WHEN (NEW.source_name = 'mam' AND OLD.run_id IS NULL AND NEW.run_id IS NOT NULL) EXECUTE FUNCTION count_places()`,
  ])
    await sql.raw(statement).execute(system.db);
});
afterAll(() => system[Symbol.asyncDispose]());

const start = async (target: string) => {
  const { status, body } = await system.call('POST', `/sync/${target}/dev`);
  expect(status, JSON.stringify(body)).toBe(202);
  return body['job_id'] as number;
};
const waits = async (id: number) =>
  await vi.waitFor(
    async () =>
      expect(await system.job(id)).toMatchObject({
        status: 'waiting',
        status_reason: 'source_limit',
        run_id: null,
      }),
    { timeout: 30_000 },
  );

test('twenty starts of four targets never take more than the two places of their source, whatever dies meanwhile', {
  timeout: 240_000,
}, async () => {
  const ids: number[] = [];
  const isFinal = async (id: number) => (await system.job(id)).finished_at !== null;
  const lane = async (target: string) => {
    for (let round = 0; round < 5; round++) {
      const id = await start(target);
      ids.push(id);
      await vi.waitFor(async () => expect(await isFinal(id)).toBe(true), { timeout: 120_000, interval: 20 });
    }
  };
  const lanes = Promise.all(KEYS.map(lane));
  const trouble = async () => {
    await vi.waitFor(() => expect(ids.length).toBeGreaterThan(6), { timeout: 60_000 });
    await workers[0]?.kill();
    await vi.waitFor(() => expect(ids.length).toBeGreaterThan(9), { timeout: 60_000 });
    await terminateOne();
    await workers[0]?.start();
  };
  await Promise.all([lanes, trouble()]);
  const { rows } = await sql<{ taken: number; by_job: number }>`SELECT * FROM places ORDER BY at`.execute(
    system.db,
  );
  expect(Math.max(...rows.map(({ taken }) => taken))).toBe(2);
  expect(rows.map(({ by_job }) => by_job).toSorted((a, b) => a - b)).toEqual(ids.toSorted((a, b) => a - b));
});

/** Terminates the workflow of a job that has a place. */
async function terminateOne() {
  await vi.waitFor(
    async () => {
      const claimed = await system.db
        .selectFrom('jobs')
        .select(['env', 'target', 'run_id'])
        .where('source_name', '=', 'mam')
        .where('status', 'in', ['starting', 'running'])
        .where('run_id', 'is not', null)
        .executeTakeFirst();
      if (!claimed) throw new Error('no job has a place now');
      const handle = system.temporal.client.workflow.getHandle(workflowId(claimed), claimed.run_id ?? '');
      await handle.terminate('a test');
    },
    { timeout: 30_000, interval: 20 },
  );
}

test('a job without a place waits, names the holders, and begins in the order of ids when a place is free', {
  timeout: 120_000,
}, async () => {
  const [holder, second, third] = [await start('held_a'), await start('held_b'), await start('held_c')];
  await system.until(holder, 'running');
  await waits(third);
  await waits(second);
  await vi.waitFor(
    async () =>
      expect((await system.job(third)).status_detail).toBe(
        `SOURCE_LIMIT lets 1 job of the source 'erp' run at a time; job ${holder} runs; job ${second} comes first`,
      ),
    { timeout: 30_000 },
  );
  // Waiting jobs have no open workflow that would spin.
  const waiting = await system.temporal.client.workflow.getHandle('syncrator/dev/held_c').describe();
  expect(waiting.status.name).toBe('COMPLETED');
  const fourth = await start('held_d');
  await waits(fourth);
  // Cancelling a waiting job takes no place and gives none back.
  const cancelled = await system.call('DELETE', `/jobs/${fourth}`);
  expect(cancelled.body).toMatchObject({ status: 'deleted' });
  await system.call('DELETE', `/jobs/${holder}`);
  await system.until(holder, 'deleted');
  await system.until(second, 'running');
  expect(await system.job(third)).toMatchObject({ status: 'waiting', run_id: null });
  // Another source is not held up, nor is a source without a limit.
  const free = await start('free');
  await system.until(free, 'completed');
  for (const id of [third, second]) await system.call('DELETE', `/jobs/${id}`);
  await system.until(second, 'deleted');
});

test('maintenance is the reason while it lasts, and a limit holds after it', {
  timeout: 120_000,
}, async () => {
  const [holder, second] = [await start('off_a'), await start('off_b')];
  await system.until(holder, 'running');
  await waits(second);
  await system.call('POST', '/maintenance-status', { msg: 'a test', paused: true });
  expect(await system.job(second)).toMatchObject({
    status: 'waiting',
    status_reason: 'maintenance',
    status_detail: null,
  });
  await system.call('POST', '/maintenance-status', { msg: 'over', paused: false });
  await waits(second);
  await system.call('DELETE', `/jobs/${holder}`);
  await system.until(second, 'running');
  await system.call('DELETE', `/jobs/${second}`);
  await system.until(second, 'deleted');
});
