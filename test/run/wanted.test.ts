/** What hooks and casts want becomes one job once the target is free, whatever the workers do meanwhile. */
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { want } from '../../src/db/wanted.ts';
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
      params('pair', 'delta', '--mute'),
    ],
  });
  await Promise.all([system.startApi(), system.startWorker()]);
});
afterAll(() => system[Symbol.asyncDispose]());

const wanted = (target: string, items: readonly string[] = [], requestedBy = 'a hook') =>
  want(system.db, { env: 'dev', target, action: 'delta', requestedBy }, items);
const jobs = async (target: string) =>
  await system.db.selectFrom('jobs').selectAll().where('target', '=', target).orderBy('id').execute();
const open = async (target: string) =>
  await system.db.selectFrom('wanted').selectAll().where('target', '=', target).execute();
const settled = async (target: string) =>
  await expect.poll(async () => (await open(target)).length, { timeout: 30_000 }).toBe(0);

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

test('what is wanted while a job is at work is done after it', { timeout: 90_000 }, async () => {
  const holder = await system.submit('long', 'sync');
  if (holder.kind !== 'created') throw new Error(holder.kind);
  await system.until(holder.job.id, 'running');
  await wanted('long', ['7']);
  // Long enough for the loop to have come by: the last want is 3 s old, and it is still there.
  await expect
    .poll(async () => Date.now() - Number((await open('long'))[0]?.last_at), { timeout: 15_000 })
    .toBeGreaterThan(5_000);
  expect(await jobs('long')).toHaveLength(1);
  await system.call('DELETE', `/jobs/${holder.job.id}`);
  await settled('long');
  const [, follower] = await jobs('long');
  expect(follower).toMatchObject({ options: '--mute --item 7', trigger: 'hook' });
  await system.until(follower?.id ?? 0, 'completed');
});

test('more than a hundred items, or none named, are everything', { timeout: 60_000 }, async () => {
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

test('a job that nobody has claimed yet will do what is wanted', { timeout: 60_000 }, async () => {
  await system.call('POST', '/maintenance-status', { msg: 'a test', paused: true });
  const held = await system.submit('paused', 'delta');
  await wanted('paused');
  await settled('paused');
  expect(await jobs('paused')).toHaveLength(1);
  await system.call('POST', '/maintenance-status', { msg: 'over', paused: false });
  await system.until(held.kind === 'created' ? held.job.id : 0, 'completed');
});

test('three workers make one job of it', { timeout: 60_000 }, async () => {
  await Promise.all([system.startWorker(), system.startWorker()]);
  await Promise.all(Array.from({ length: 20 }, (_, at) => wanted('pair', [String(at)])));
  await settled('pair');
  expect(await jobs('pair')).toHaveLength(1);
});

test('what waits behind a job that waits itself takes no ids meanwhile', { timeout: 60_000 }, async () => {
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

test('what is no longer declared is forgotten, an hour later', { timeout: 60_000 }, async () => {
  const wantGone = (target: string) =>
    want(system.db, { env: 'dev', target, action: 'delta', requestedBy: 'a hook' }, ['1']);
  await Promise.all([wantGone('gone'), wantGone('new')]);
  await sql`UPDATE wanted SET first_at = now() - interval '61 minutes' WHERE target = 'gone'`.execute(
    system.db,
  );
  await settled('gone');
  // A worker of the version before: another one knows what this is.
  expect(await open('new')).toHaveLength(1);
  expect(await jobs('gone')).toEqual([]);
});
