/** Schedules: they fire, skip while the key is busy, and each firing counts once, also across a worker restart. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { describeSchedules, pauseSchedule } from '../../src/temporal/schedules.ts';
import { params, startSystem, type System } from '../support/system.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem({
    params: [
      params('often', 'delta', '--mute', 'SCHEDULE=every 1s\n'),
      params('busy', 'sync', '--mute --seconds 60'),
      params('busy', 'delta', '--mute', 'SCHEDULE=every 1s\n'),
      params('nightly', 'sync', '--mute', 'SCHEDULE=30 2 * * *\nTIMEZONE=Europe/Brussels\n'),
    ],
  });
});
afterAll(() => system[Symbol.asyncDispose]());

const firings = async (schedule: string) =>
  await system.db
    .selectFrom('schedule_firings')
    .selectAll()
    .where('schedule', '=', schedule)
    .orderBy('nominal_time')
    .execute();

test('a schedule fires exactly once across a worker restart, and skips while its key is busy', {
  timeout: 120_000,
}, async () => {
  const holder = await system.submit('busy', 'sync');
  if (holder.kind !== 'created') throw new Error(holder.kind);
  const worker = await system.startWorker();
  await system.until(holder.job.id, 'running');
  await expect
    .poll(async () => (await firings('dev.often.delta')).length, { timeout: 30_000 })
    .toBeGreaterThan(3);
  await worker.kill();
  await system.startWorker();
  const before = (await firings('dev.often.delta')).length;
  await expect
    .poll(async () => (await firings('dev.often.delta')).length, { timeout: 40_000 })
    .toBeGreaterThan(before + 3);
  await pauseSchedule(system.temporal, 'dev.often.delta', 'by a test');

  const started = (await firings('dev.often.delta')).filter((firing) => firing.outcome === 'started');
  const jobs = await system.db.selectFrom('jobs').selectAll().where('target', '=', 'often').execute();
  expect(started.map((firing) => firing.job_id).toSorted()).toEqual(jobs.map((job) => job.id).toSorted());
  expect(new Set(started.map((firing) => firing.job_id)).size).toBe(started.length);

  const skipped = await firings('dev.busy.delta');
  expect(skipped.length).toBeGreaterThan(0);
  for (const firing of skipped) expect(firing).toMatchObject({ outcome: 'skipped', job_id: holder.job.id });
  expect(skipped[0]?.detail).toContain(`job ${holder.job.id}`);
});

test('a pause survives a worker restart, and the next firings are shown in the zone', async () => {
  const ids = ['dev.often.delta', 'dev.nightly.sync', 'dev.none.sync'];
  // A Temporal that is slow under load is asked again.
  const states = await vi.waitFor(() => describeSchedules(system.temporal, ids), { timeout: 30_000 });
  expect(states.get('dev.often.delta')).toMatchObject({ paused: true, note: 'by a test' });
  const hours = states
    .get('dev.nightly.sync')
    ?.next.map((at) => at.toLocaleTimeString('en-GB', { timeZone: 'Europe/Brussels' }));
  expect(new Set(hours)).toEqual(new Set(['02:30:00']));
  expect(states.has('dev.none.sync')).toBe(false);
});
