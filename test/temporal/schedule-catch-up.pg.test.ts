/** Tests three minutes without Temporal, and without a worker, across firings of minutely schedules. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTemporal } from '../../src/embedded/temporal.ts';
import { describeSchedules } from '../../src/temporal/schedules.ts';
import { params, startSystem, type System } from '../support/system.ts';

const OUTAGE_MS = 3 * 60_000;
const MINUTE_MS = 60_000;
const SCHEDULES = ['dev.cron.delta', 'dev.every.delta'];
const PARAMS: readonly [string, string][] = [
  params('cron', 'delta', '--mute', 'SCHEDULE=* * * * *\nTIMEZONE=Europe/Brussels\n'),
  params('every', 'delta', '--mute', 'SCHEDULE=every 60s\n'),
];
/**
 * The outcome of the three firings of the outage, the same for both schedules and both outages: one is caught up,
 * late; the others are skipped and counted.
 */
const OUTCOME = { started: 1, otherwise: 0 };

const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-outage-'));
let temporal: Awaited<ReturnType<typeof startTemporal>>;
/** Loses its Temporal. */
let forsaken: System;
/** Loses its worker. */
let unattended: System;

beforeAll(async () => {
  temporal = await startTemporal({ dataDir: dir });
  forsaken = await startSystem({
    temporal: { address: temporal.address, namespace: 'default' },
    params: PARAMS,
  });
  unattended = await startSystem({ params: PARAMS });
});
afterAll(async () => {
  await forsaken[Symbol.asyncDispose]();
  await unattended[Symbol.asyncDispose]();
  await temporal.stop();
  rmSync(dir, { recursive: true, force: true });
});

const firings = (system: System, schedule: string) =>
  system.db
    .selectFrom('schedule_firings')
    .selectAll()
    .where('schedule', '=', schedule)
    .orderBy('nominal_time')
    .execute();

async function scheduled(system: System): Promise<void> {
  await expect
    .poll(
      async () =>
        [...(await describeSchedules(system.temporal, SCHEDULES)).values()].filter(
          ({ next }) => next.length > 0,
        ).length,
      { timeout: 30_000 },
    )
    .toBe(SCHEDULES.length);
}

/** Full minutes after one time, up to another. */
const minutes = (after: number, until: number) =>
  Math.floor(until / MINUTE_MS) - Math.floor(after / MINUTE_MS);

async function judge(
  system: System,
  schedule: string,
  outage: { from: number; to: number; back: number },
): Promise<void> {
  // The first punctual firing has come, so the late one has been caught up.
  const next = (Math.floor(outage.back / MINUTE_MS) + 1) * MINUTE_MS;
  const inTime = async () =>
    (await firings(system, schedule)).filter((firing) => firing.nominal_time.getTime() >= next);
  await expect.poll(inTime, { timeout: 90_000, interval: 500, message: schedule }).not.toEqual([]);
  const late = (await firings(system, schedule)).filter(
    ({ nominal_time: time }) => time.getTime() > outage.from && time.getTime() < next,
  );
  const started = late.filter(({ outcome }) => outcome === 'started');
  expect({ started: started.length, otherwise: late.length - started.length }, schedule).toEqual(OUTCOME);
  expect(minutes(outage.from, started[0]?.nominal_time.getTime() ?? 0), schedule).toBe(1);
  expect(started[0]?.at.getTime(), schedule).toBeGreaterThan(outage.to);

  const state = (await describeSchedules(system.temporal, [schedule])).get(schedule);
  const meant = minutes(outage.from, outage.to);
  expect(meant).toBeGreaterThanOrEqual(OUTAGE_MS / MINUTE_MS);
  expect(state?.leftOut, schedule).toEqual({ tooLate: 0, overlapping: meant - 1 });
  // The first punctual firing may find the late one's job still active: then it counts as that job.
  const jobs = (await firings(system, schedule))
    .filter(({ outcome }) => outcome === 'started')
    .map(({ job_id: id }) => id ?? 0);
  expect(new Set(jobs).size, schedule).toBe(jobs.length);
  for (const id of jobs) await system.until(id, 'completed');
}

test('one run catches up, the skipped firings are counted, and the next run is on time', {
  timeout: 330_000,
}, async () => {
  await forsaken.startWorker();
  const worker = await unattended.startWorker();
  await Promise.all([scheduled(forsaken), scheduled(unattended)]);
  // The outage begins and ends between two firings: none is under way then, and none comes before everything is
  // back.
  await expect
    .poll(() => Date.now() % MINUTE_MS, { timeout: 60_000 })
    .toSatisfy((ms: number) => ms > 15_000 && ms < 35_000);
  const from = Date.now();
  temporal.kill();
  await worker.kill();

  await wait(OUTAGE_MS);
  const to = Date.now();
  temporal = await startTemporal({ dataDir: dir, port: Number(temporal.address.split(':')[1]) });
  await unattended.startWorker();
  const outage = { from, to, back: Date.now() };
  await Promise.all(
    [forsaken, unattended].flatMap((system) => SCHEDULES.map((schedule) => judge(system, schedule, outage))),
  );
});
