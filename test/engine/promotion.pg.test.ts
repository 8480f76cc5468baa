/** PROMOTE_FROM: a start needs the same run in another env first; only an admin overrides it, and schedules are skipped. */
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { requestStart } from '../../src/db/jobs/debounced-starts.ts';
import { paramsFile } from '../support/params-files.ts';
import { startSystem, type System } from '../support/system.ts';

const GUARD = 'PROMOTE_FROM=qas\nPROMOTE_WITHIN=2d\n';
let system: System;

function both(target: string, options: string, more = '', ofQas = options) {
  const of = { target, action: 'sync' } as const;
  return [
    paramsFile({ ...of, env: 'qas', options: ofQas }),
    paramsFile({ ...of, env: 'prd', options, more: `${GUARD}${more}` }),
  ];
}

beforeAll(async () => {
  system = await startSystem({
    params: [
      ...both('plain', '--mute'),
      ...both('differs', '--mute', '', '--mute --seconds 0'),
      ...both('late', '--mute'),
      ...both('forced', '--mute'),
      ...both('timed', '--mute', 'SCHEDULE=every 2s\n'),
      ...both('hooked', '--mute'),
      ...both('batched', '--mute'),
    ],
  });
  await Promise.all([system.startApi(), system.startWorker()]);
});
afterAll(() => system[Symbol.asyncDispose]());

const start = (target: string, env: string, query = '') =>
  system.call('POST', `/sync/${target}/${env}${query}`);
async function runIn(env: string, target: string): Promise<number> {
  const { status, body } = await start(target, env);
  expect(status, JSON.stringify(body)).toBe(202);
  const id = body['job_id'] as number;
  await system.until(id, 'completed');
  return id;
}

test('a start is refused until the same has completed in the other env, and names what lacks', {
  timeout: 60_000,
}, async () => {
  const refused = await start('plain', 'prd');
  expect(refused).toMatchObject({ status: 409, body: { code: 'not_promoted' } });
  expect(refused.body['detail']).toBe(
    "sync of target 'plain' may not start in env 'prd': no job of it completed in env 'qas' within 2 days (PROMOTE_WITHIN); run sync of 'plain' in env 'qas' first, or let an admin start it with ?unpromoted=true (--unpromoted)",
  );
  await runIn('qas', 'plain');
  await runIn('prd', 'plain');
  // By parameters: other options ran nowhere.
  const run = { target: 'plain', env: 'prd', action_name: 'sync', action: 'sync', is_tag: 'latest' };
  expect(await system.call('POST', '/run', { ...run, options: '--mute --x' })).toMatchObject({
    status: 409,
    body: { code: 'not_promoted' },
  });
});

test('a run with other options promotes nothing', { timeout: 60_000 }, async () => {
  const other = await runIn('qas', 'differs');
  const { status, body } = await start('differs', 'prd');
  expect(status).toBe(409);
  expect(body['detail']).toContain(`job ${other} ran with others`);
});

test('a run longer ago than PROMOTE_WITHIN promotes nothing', { timeout: 60_000 }, async () => {
  const id = await runIn('qas', 'late');
  await sql`UPDATE jobs SET finished_at = now() - interval '49 hours' WHERE id = ${id}`.execute(system.db);
  expect((await start('late', 'prd')).status).toBe(409);
  await sql`UPDATE jobs SET finished_at = now() - interval '47 hours' WHERE id = ${id}`.execute(system.db);
  expect((await start('late', 'prd')).status).toBe(202);
});

test('an admin starts it unpromoted, and the audit says so', { timeout: 60_000 }, async () => {
  expect((await start('forced', 'prd', '?unpromoted=perhaps')).status).toBe(400);
  const { status, body } = await start('forced', 'prd', '?unpromoted=true');
  expect(status).toBe(202);
  const { rows } = await sql<{ detail: object }>`SELECT detail FROM audit WHERE verb = 'start'
    AND object = ${`job ${body['job_id'] as number}`}`.execute(system.db);
  expect(rows).toMatchObject([{ detail: { note: 'not promoted' } }]);
});

test('a firing is skipped with the reason, and starts once the run is there', {
  timeout: 60_000,
}, async () => {
  const firings = async (outcome: 'skipped' | 'started') =>
    await system.db
      .selectFrom('schedule_firings')
      .selectAll()
      .where('schedule', '=', 'prd.timed.sync')
      .where('outcome', '=', outcome)
      .execute();
  await vi.waitFor(async () => expect((await firings('skipped')).length).toBeGreaterThan(0), {
    timeout: 30_000,
  });
  expect((await firings('skipped'))[0]).toMatchObject({
    job_id: null,
    detail: expect.stringContaining("no job of it completed in env 'qas'") as string,
  });
  expect(await firings('started')).toEqual([]);
  await runIn('qas', 'timed');
  await vi.waitFor(async () => expect((await firings('started')).length).toBeGreaterThan(0), {
    timeout: 30_000,
  });
});

test('a request of a hook that is not promoted is dropped', { timeout: 60_000 }, async () => {
  const of = { env: 'prd', target: 'hooked', action: 'sync', requestedBy: 'a hook' };
  await requestStart(system.db, of, []);
  const open = () => system.db.selectFrom('wanted').selectAll().where('target', '=', 'hooked').execute();
  await vi.waitFor(async () => expect(await open()).toEqual([]), { timeout: 30_000 });
  expect(await system.db.selectFrom('jobs').selectAll().where('target', '=', 'hooked').execute()).toEqual([]);
});

test('an item of a batch that is not promoted fails alone', { timeout: 60_000 }, async () => {
  const jobs = ['prd', 'qas'].map((env) => ({ operation: 'sync', target: 'batched', env }));
  expect((await system.call('POST', '/jobs', { jobs })).body).toMatchObject([
    { status: 'FAILED', msg: expect.stringContaining('may not start in env') as string },
    { status: 'CREATED' },
  ]);
});
