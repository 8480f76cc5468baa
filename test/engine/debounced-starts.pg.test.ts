/** Requests of hooks and casts become one job once their target is free, whatever the workers do meanwhile. */
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { requestStart } from '../../src/db/jobs/debounced-starts.ts';
import { params, startSystem, type System } from '../support/system.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem({
    params: [
      params('burst', 'delta', '--mute'),
      params('long', 'sync', '--mute --seconds 60'),
      params('long', 'delta', '--mute'),
      params('many', 'delta', '--mute'),
      params('paused', 'delta', '--mute'),
      params('joined', 'delta', '--mute'),
      params('later', 'delta', '--mute'),
      params('dropped', 'delta', '--mute'),
      params('pair', 'delta', '--mute'),
    ],
  });
  await Promise.all([system.startApi(), system.startWorker()]);
});
afterAll(() => system[Symbol.asyncDispose]());

const wanted = (target: string, items: readonly string[] = [], requestedBy = 'a hook') =>
  requestStart(system.db, { env: 'dev', target, action: 'delta', requestedBy }, items);
const jobs = async (target: string) =>
  await system.db.selectFrom('jobs').selectAll().where('target', '=', target).orderBy('id').execute();
const open = async (target: string) =>
  await system.db.selectFrom('wanted').selectAll().where('target', '=', target).execute();
const settled = async (target: string) =>
  await vi.waitFor(async () => expect(await open(target)).toEqual([]), { timeout: 30_000 });
/** A job that waits, since no job begins during maintenance. */
async function created(target: string): Promise<number> {
  const submitted = await system.submit(target, 'delta');
  if (submitted.kind !== 'created') throw new Error(submitted.kind);
  return submitted.job.id;
}
const joined = async (target: string, id: number) =>
  await expect.poll(async () => (await open(target))[0]?.joined_job, { timeout: 30_000 }).toBe(id);

describe.concurrent('without maintenance', () => {
  test('200 hooks of five items become one job of these five', { timeout: 60_000 }, async () => {
    const items = ['11', '12', '13', '14', '15'];
    const hooks = Array.from({ length: 200 }, (_, at) => at).values();
    const lane = async () => {
      for (const at of hooks) await wanted('burst', [items[at % 5] ?? ''], `hook ${at}`);
    };
    await Promise.all([lane(), lane(), lane(), lane()]);
    await settled('burst');
    const [job, ...others] = await jobs('burst');
    expect(others).toEqual([]);
    expect(job).toMatchObject({
      options: '--mute --item 11 --item 12 --item 13 --item 14 --item 15',
      trigger: 'hook',
      requested_by: expect.stringMatching(/^hook \d+$/) as string,
    });
    await system.until(job?.id ?? 0, 'completed');
  });

  test('a start requested while a job runs follows that job', { timeout: 90_000 }, async () => {
    const holder = await system.submit('long', 'sync');
    if (holder.kind !== 'created') throw new Error(holder.kind);
    await system.until(holder.job.id, 'running');
    await wanted('long', ['7']);
    // Long enough for the loop to have passed: the last request is 3 s old and still stored.
    const age = async () => Date.now() - Number((await open('long'))[0]?.last_at);
    await vi.waitFor(async () => expect(await age()).toBeGreaterThan(5_000), { timeout: 15_000 });
    expect(await jobs('long')).toHaveLength(1);
    await system.call('DELETE', `/jobs/${holder.job.id}`);
    await settled('long');
    const [, follower] = await jobs('long');
    expect(follower).toMatchObject({ options: '--mute --item 7', trigger: 'hook' });
    await system.until(follower?.id ?? 0, 'completed');
  });

  test('over a hundred items, or no named ones, start a job for everything', {
    timeout: 60_000,
  }, async () => {
    await wanted(
      'many',
      Array.from({ length: 101 }, (_, at) => String(at)),
    );
    await settled('many');
    expect((await jobs('many')).map((job) => job.options)).toEqual(['--mute']);
    await wanted('many', ['1']);
    await wanted('many');
    await settled('many');
    expect((await jobs('many')).map((job) => job.options)).toEqual(['--mute', '--mute']);
  });

  test('a start of an action that no params file declares is dropped after an hour', {
    timeout: 60_000,
  }, async () => {
    const wantGone = (target: string) =>
      requestStart(system.db, { env: 'dev', target, action: 'delta', requestedBy: 'a hook' }, ['1']);
    await Promise.all([wantGone('gone'), wantGone('new')]);
    await sql`UPDATE wanted SET first_at = now() - interval '61 minutes' WHERE target = 'gone'`.execute(
      system.db,
    );
    await settled('gone');
    // A worker of the previous version: another worker knows this action.
    expect(await open('new')).toHaveLength(1);
    expect(await jobs('gone')).toEqual([]);
  });
});

test('a job that waits to be claimed takes over what hooks request', { timeout: 60_000 }, async () => {
  await system.call('POST', '/maintenance-status', { msg: 'a test', paused: true });
  const held = await created('paused');
  await wanted('paused');
  await joined('paused', held);
  await system.call('POST', '/maintenance-status', { msg: 'over', paused: false });
  await system.until(held, 'completed');
  await settled('paused');
  expect(await jobs('paused')).toHaveLength(1);
});

test('cancelling a job that a hook joined keeps the request of the hook', { timeout: 60_000 }, async () => {
  await system.call('POST', '/maintenance-status', { msg: 'a test', paused: true });
  const held = await created('joined');
  await wanted('joined');
  await joined('joined', held);
  await system.call('DELETE', `/jobs/${held}`);
  await settled('joined');
  const [cancelled, next, ...others] = await jobs('joined');
  expect([cancelled?.status, next?.trigger, others]).toEqual(['deleted', 'hook', []]);
  await system.call('POST', '/maintenance-status', { msg: 'over', paused: false });
  await system.until(next?.id ?? 0, 'completed');
});

test('a request that comes after a hook joined a job outlives that job', { timeout: 60_000 }, async () => {
  await system.call('POST', '/maintenance-status', { msg: 'a test', paused: true });
  const held = await created('later');
  await wanted('later');
  await joined('later', held);
  // Written like an api of the previous version: without the columns of a join. Its time is in the future, so that
  // it is not quiet before the job has begun, and does not join it again.
  await sql`UPDATE wanted SET first_at = now(), last_at = now() + interval '5 seconds' WHERE target = 'later'`.execute(
    system.db,
  );
  await system.call('POST', '/maintenance-status', { msg: 'over', paused: false });
  await system.until(held, 'completed');
  await settled('later');
  expect((await jobs('later')).map(({ trigger }) => trigger)).toEqual(['api', 'hook']);
});

test('cancelling a job that a hook made drops the request of the hook', {
  timeout: 60_000,
}, async () => {
  await system.call('POST', '/maintenance-status', { msg: 'a test', paused: true });
  await wanted('dropped', ['4']);
  await settled('dropped');
  const [job] = await jobs('dropped');
  expect(job).toMatchObject({ trigger: 'hook', options: '--mute --item 4', run_id: null });
  expect(await system.call('DELETE', `/jobs/${job?.id}`)).toMatchObject({ body: { status: 'deleted' } });
  await system.call('POST', '/maintenance-status', { msg: 'over', paused: false });
  // The next want has its own items only.
  await wanted('dropped', ['5']);
  await settled('dropped');
  expect((await jobs('dropped')).map(({ options }) => options)).toEqual([
    '--mute --item 4',
    '--mute --item 5',
  ]);
});

test('three workers make one job of twenty requests', { timeout: 60_000 }, async () => {
  await Promise.all([system.startWorker(), system.startWorker()]);
  await Promise.all(Array.from({ length: 20 }, (_, at) => wanted('pair', [String(at)])));
  await settled('pair');
  expect(await jobs('pair')).toHaveLength(1);
});

test('a request behind a waiting job takes no job ids meanwhile', { timeout: 60_000 }, async () => {
  const last = async () => {
    const { rows } = await sql<{ last: number }>`SELECT last_value::integer AS last FROM jobs_id_seq`.execute(
      system.db,
    );
    return rows[0]?.last;
  };
  await system.call('POST', '/maintenance-status', { msg: 'a test', paused: true });
  const held = await system.submit('long', 'sync');
  if (held.kind !== 'created') throw new Error(held.kind);
  await wanted('long');
  const before = await last();
  // Several passes after it became quiet, by the database's clock.
  const quietFor = async () => Date.now() - Number((await open('long'))[0]?.last_at);
  await expect.poll(quietFor, { timeout: 15_000 }).toBeGreaterThan(6_000);
  expect([await last(), (await open('long')).length]).toEqual([before, 1]);
  await system.call('DELETE', `/jobs/${held.job.id}`);
  await system.call('POST', '/maintenance-status', { msg: 'over', paused: false });
  await settled('long');
});
