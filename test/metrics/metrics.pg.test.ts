/** /metrics of api and worker: jobs, targets, schedules and servers, with the same numbers after any restart. */
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../src/embedded/ports.ts';
import { params, startSystem, type System } from '../support/system.ts';
import type { ProductPart } from '../support/product-part.ts';

let system: System;
let api: ProductPart;
let ports: { api: number; worker: number; sdk: number };

beforeAll(async () => {
  ports = { api: await freePort(), worker: await freePort(), sdk: await freePort() };
  system = await startSystem({
    params: [
      params('good', 'sync', '--progress 2', 'SCHEDULE=every 1s\n'),
      params('bad', 'sync', '--exit 3'),
      params('never', 'sync', '--mute', 'SCHEDULE=0 3 * * *\n'),
      params('mute', 'sync', '--mute --seconds 600', 'STALLED_AFTER=1s\n'),
      params('stalls', 'sync', '--progress 3 --seconds 600', 'STALLED_AFTER=3s\n'),
      params('outside', 'sync', '', 'RUNNER=external\n'),
    ],
  });
  api = await system.startApi({ METRICS_PORT: String(ports.api) });
  await system.call('POST', '/maintenance-status', { msg: 'a test', paused: true });
  await system.startWorker('src/worker.ts', {
    METRICS_PORT: String(ports.worker),
    TEMPORAL_METRICS_PORT: String(ports.sdk),
  });
});
afterAll(() => system[Symbol.asyncDispose]());

/** Series by name with labels, as Prometheus reads them. */
async function scrape(port: number): Promise<Map<string, number>> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(10_000) });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}
const series = async (name: string) => (await scrape(ports.api)).get(name);
const idOf = (submitted: { kind: string; job?: { id: number } }) => submitted.job?.id ?? 0;

test('metrics count active jobs, and those that maintenance holds', async () => {
  const held = idOf(await system.submit('bad', 'sync'));
  expect(await series('syncrator_maintenance_paused')).toBe(1);
  const waiting = '{env="dev",status="waiting",reason="maintenance",runner="process"}';
  expect(await series(`syncrator_jobs_active${waiting}`)).toBeGreaterThanOrEqual(1);
  expect(await series(`syncrator_jobs_active_oldest_seconds${waiting}`)).toBeGreaterThan(0);
  await system.call('DELETE', `/jobs/${held}`);
  await system.call('POST', '/maintenance-status', { msg: 'over', paused: false });
  expect(await series('syncrator_maintenance_paused')).toBe(0);
});

test('metrics count ended jobs by status and reason, with records and times, whatever process ended them', {
  timeout: 60_000,
}, async () => {
  await system.until(idOf(await system.submit('bad', 'sync')), 'failed');
  const outside = idOf(await system.submit('outside', 'sync'));
  await system.call('PUT', `/jobs/${outside}`, { status: 'completed' });
  const all = await scrape(ports.api);
  const ended = (target: string, status: string, reason = '') =>
    `{env="dev",target="${target}",action="sync",status="${status}",reason="${reason}"}`;
  expect(all.get(`syncrator_jobs_ended_total${ended('bad', 'deleted')}`)).toBe(1);
  expect(all.get(`syncrator_jobs_ended_total${ended('bad', 'failed', 'delete_guard')}`)).toBe(1);
  expect(all.get(`syncrator_jobs_ended_total${ended('outside', 'completed')}`)).toBe(1);
  // Each report of the stand-in ends with ten records.
  expect(all.get(`syncrator_records_total${ended('bad', 'failed', 'delete_guard')}`)).toBe(10);
  for (const histogram of ['syncrator_job_run_seconds', 'syncrator_job_wait_seconds']) {
    const labels = ended('bad', 'failed').replace(',reason=""', '');
    expect(all.get(`${histogram}_count${labels}`)).toBe(1);
    expect(all.get(`${histogram}_bucket${labels.replace('}', ',le="+Inf"}')}`)).toBe(1);
    expect(all.get(`${histogram}_sum${labels}`)).toBeGreaterThan(0);
  }
});

test('a target has metrics of its last success, its failures in a row and its schedule', {
  timeout: 60_000,
}, async () => {
  await expect
    .poll(
      () => series('syncrator_target_last_success_timestamp_seconds{env="dev",target="good",action="sync"}'),
      {
        timeout: 30_000,
      },
    )
    .toBeGreaterThan(Date.now() / 1000 - 60);
  await system.until(idOf(await system.submit('bad', 'sync')), 'failed');
  expect(await series('syncrator_target_failures{env="dev",target="bad",action="sync"}')).toBe(2);
  expect(await series('syncrator_target_failures{env="dev",target="good",action="sync"}')).toBe(0);
  expect(
    await series('syncrator_target_last_success_timestamp_seconds{env="dev",target="bad",action="sync"}'),
  ).toBe(0);
  const never = '{schedule="dev.never.sync",env="dev",target="never",action="sync"}';
  expect(await series(`syncrator_schedule_overdue_seconds${never}`)).toBe(0);
  const good = never.replaceAll('never', 'good');
  await expect.poll(() => series(`syncrator_schedule_paused${good}`), { timeout: 30_000 }).toBe(0);
  await system.call('POST', '/schedules/dev.good.sync/pause', {});
  await expect.poll(() => series(`syncrator_schedule_paused${good}`), { timeout: 30_000 }).toBe(1);
  // Without further success its age grows.
  await expect
    .poll(() => series(`syncrator_schedule_overdue_seconds${good}`), { timeout: 30_000 })
    .toBeGreaterThan(3);
});

test('a schedule that never fired is late, and its time starts anew after a pause', {
  timeout: 90_000,
}, async () => {
  const labels = '{schedule="dev.never.sync",env="dev",target="never",action="sync"}';
  const overdue = () => series(`syncrator_schedule_overdue_seconds${labels}`);
  const paused = () => series(`syncrator_schedule_paused${labels}`);
  await sql`UPDATE schedule_promises SET since = now() - interval '3 days' WHERE schedule = 'dev.never.sync'`.execute(
    system.db,
  );
  expect(await overdue()).toBeGreaterThan(86_400);
  await system.call('POST', '/schedules/dev.never.sync/pause', {});
  await expect.poll(paused, { timeout: 30_000 }).toBe(1);
  await system.call('POST', '/schedules/dev.never.sync/resume', {});
  await expect.poll(paused, { timeout: 30_000 }).toBe(0);
  expect(await overdue()).toBe(0);
});

test('a silent program has a metric of how long it has exceeded the limit; one that never reports has none', {
  timeout: 60_000,
}, async () => {
  const ids = [idOf(await system.submit('mute', 'sync')), idOf(await system.submit('stalls', 'sync'))];
  for (const id of ids) await system.until(id, 'running');
  const stalled = (target: string) => series(`syncrator_job_stalled_seconds{env="dev",target="${target}"}`);
  const records = () => series('syncrator_job_records{env="dev",target="stalls"}');
  await expect.poll(() => stalled('stalls'), { timeout: 20_000 }).toBe(0);
  await expect.poll(() => stalled('stalls'), { timeout: 20_000 }).toBeGreaterThan(1);
  expect(await stalled('mute')).toBeUndefined();
  // For an active job: ended jobs are counted elsewhere.
  expect(await records()).toBe(3);
  for (const id of ids) {
    await system.call('DELETE', `/jobs/${id}`);
    await system.until(id, 'deleted');
  }
  expect([await stalled('stalls'), await records()]).toEqual([undefined, undefined]);
});

test('another api process shows the same numbers after a restart', { timeout: 60_000 }, async () => {
  const counted = async () =>
    [...(await scrape(ports.api))].filter(([name]) => /^syncrator_(jobs_ended|records)_total/.test(name));
  const before = await counted();
  await api.kill();
  api = await system.startApi({ METRICS_PORT: String(ports.api) });
  expect(before.length).toBeGreaterThan(3);
  expect(await counted()).toEqual(before);
});

test('requests are counted by route, never by path, and servers have metrics', async () => {
  await system.call('GET', '/jobs/1');
  await system.call('GET', '/jobs/2');
  await system.call('GET', '/nowhere/at/all');
  const all = await scrape(ports.api);
  expect(
    all.get('syncrator_http_request_seconds_count{method="GET",route="/jobs/:id",status="200"}'),
  ).toBeGreaterThanOrEqual(2);
  expect(all.get('syncrator_http_request_seconds_count{method="GET",route="none",status="404"}')).toBe(1);
  expect([...all.keys()].filter((name) => name.includes('nowhere'))).toEqual([]);
  // A Temporal that is slow on a busy machine counts as down for that scrape.
  for (const dependency of ['postgres', 'temporal'])
    await expect
      .poll(() => series(`syncrator_dependency_up{dependency="${dependency}"}`), { timeout: 30_000 })
      .toBe(1);
  expect(all.get('process_resident_memory_bytes')).toBeGreaterThan(1_000_000);
});

test('a worker has metrics of its reconciler, and the SDK has its own', async () => {
  const own = await scrape(ports.worker);
  expect(own.get('syncrator_reconcile_last_pass_timestamp_seconds')).toBeGreaterThan(Date.now() / 1000 - 60);
  expect(own.get('syncrator_orphans_found_total')).toBe(0);
  const sdk = await fetch(`http://127.0.0.1:${ports.sdk}/metrics`, { signal: AbortSignal.timeout(10_000) });
  expect(await sdk.text()).toContain('temporal_worker_task_slots_available');
});

test('the metrics port serves nothing else, and the api’s own port serves no metrics', async () => {
  expect((await fetch(`http://127.0.0.1:${ports.api}/jobs`)).status).toBe(404);
  expect((await fetch(`${system.apiUrl}/metrics`)).status).toBe(404);
});

test('losses are counted in records, and by the age of the oldest that waits for an answer', async () => {
  await sql`
    INSERT INTO losses (env, target, status, reason, job_id, started_by, caused_by, count, live, pinned, digest, born_at,
      changed_at)
    VALUES ('dev', 'good', 'waiting', 'over_threshold', 1, 'ada', '{ada}', 4, 100, 0, 'd', now() - interval '2 hours', now()),
      ('dev', 'bad', 'waiting', 'over_threshold', 1, 'ada', '{ada}', 0, 100, 9, 'd', now() - interval '2 hours', now()),
      ('dev', 'never', 'resolved', 'over_threshold', 1, 'ada', '{ada}', 7, 100, 0, 'd', now(), now())`.execute(
    system.db,
  );
  expect(await series('syncrator_losses_waiting{env="dev",target="good"}')).toBe(4);
  expect(await series('syncrator_losses_oldest_seconds{env="dev",target="good"}')).toBeGreaterThanOrEqual(
    7200,
  );
  expect(await series('syncrator_losses_waiting{env="dev",target="bad"}')).toBe(0);
  expect(await series('syncrator_losses_oldest_seconds{env="dev",target="bad"}')).toBeUndefined();
  expect(await series('syncrator_losses_waiting{env="dev",target="never"}')).toBeUndefined();
});
