/** A backup made while jobs run, restored beside an empty Temporal: the record continues, and nothing runs twice. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../../src/db/connect.ts';
import { readJobView } from '../../../src/db/views/job-views.ts';
import type { Db } from '../../../src/db/schema.ts';
import { startTemporal } from '../../../src/embedded/temporal.ts';
import { connectTemporal } from '../../../src/temporal/connect.ts';
import { type DebianPostgres, startDebianPostgres } from '../../support/debian-postgres.ts';
import { login } from '../../support/login.ts';
import { submitted } from '../../support/bulk-jobs.ts';
import { params, startSystem, type System } from '../../support/system.ts';

const CLI = path.resolve(import.meta.dirname, '../../../src/cli/main.ts');
const SCHEDULED = 'SCHEDULE=0 0 1 1 *\n';

const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-restore-'));
const flag = (name: string) => path.join(dir, `${name}.flag`);
/** Runs until told to end, and notes each start. */
const told = (target: string, more = '') =>
  params(target, 'sync', `--mute --seconds 300 --until ${flag(target)} --touch ${dir}/${target}`, more);

const held = new AsyncDisposableStack();
let before: DebianPostgres;
let after: DebianPostgres;
let system: System;
let restored: Db;
beforeAll(async () => {
  before = held.use(await startDebianPostgres());
  after = held.use(await startDebianPostgres());
  await before.run('createdb', 'syncrator');
  const started = await startSystem({
    databaseUrl: before.url('syncrator'),
    params: [
      params('done', 'sync', '--mute', SCHEDULED),
      ...['on', 'ended', 'unseen', 'later'].map((target) => told(target, SCHEDULED)),
      params('next', 'sync', '--mute'),
    ],
  });
  system = held.use(started);
  restored = connect(after.url('syncrator'), { max: 3, applicationName: 'test', onError: () => undefined });
  held.defer(() => restored.destroy());
}, 120_000);
afterAll(async () => {
  await held.disposeAsync();
  rmSync(dir, { recursive: true, force: true });
});

test('a database dumped while jobs run is restored and started with a fresh Temporal', {
  timeout: 240_000,
}, async () => {
  await Promise.all([system.startApi(), system.startWorker()]);
  const done = await submitted(system, 'done');
  await system.until(done, 'completed');
  await expect
    .poll(
      async () => (await system.call('POST', '/schedules/dev.on.sync/pause', { note: 'moving' })).status,
      {
        timeout: 20_000,
      },
    )
    .toBe(200);
  const [on, ended, unseen] = [
    await submitted(system, 'on'),
    await submitted(system, 'ended'),
    await submitted(system, 'unseen'),
  ];
  for (const id of [on, ended, unseen]) await system.until(id, 'running');
  const pauses = async () => await system.db.selectFrom('schedule_pauses').select('schedule').execute();
  await expect.poll(pauses, { timeout: 20_000 }).toEqual([{ schedule: 'dev.on.sync' }]);

  const file = path.join(dir, 'syncrator.dump');
  await before.run('pg_dump', '-Fc', '-f', file, 'syncrator');

  // The backup lacks what happens after it: one job ends, another begins.
  writeFileSync(flag('ended'), '');
  await system.until(ended, 'completed');
  const later = await submitted(system, 'later');
  await system.until(later, 'running');
  await expect.poll(() => existsSync(path.join(dir, 'later')), { timeout: 20_000 }).toBe(true);
  await Promise.all([system.endParts('src/server.ts'), system.endParts('src/worker.ts')]);
  // Another job ends while our processes are down.
  writeFileSync(flag('unseen'), '');
  const [, orphan] = [await system.live('unseen'), await system.live('later')];
  expect(orphan).toHaveLength(1);
  await expect.poll(() => system.live('unseen'), { timeout: 20_000 }).toEqual([]);

  await after.run('createdb', 'syncrator');
  await after.run('pg_restore', '--exit-on-error', '-d', 'syncrator', file);
  const DATABASE_URL = after.url('syncrator');
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, 'db', 'restored'], {
    env: { PATH: process.env['PATH'], DATABASE_URL },
  });
  expect(stdout).toMatch(/^the next job id is \d{6}; start api and worker now\n$/);
  const temporal = await startTemporal({ dataDir: path.join(dir, 'temporal'), inMemory: true });
  const fresh = { address: temporal.address, namespace: 'default' };
  const client = connectTemporal(fresh);
  try {
    const environment = { DATABASE_URL, TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: 'default' };
    await Promise.all([system.startApi(environment), system.startWorker('src/worker.ts', environment)]);
    const status = async (id: number) => (await readJobView(restored, id))?.status;
    const diagnosis = async (id: number) => (await readJobView(restored, id))?.diagnosis?.code;

    // It ran on all the while, and is watched to its end again.
    expect(await status(done)).toBe('completed');
    expect(await status(on)).toBe('running');
    await expect.poll(() => status(unseen), { timeout: 60_000 }).toBe('completed');
    expect((await readJobView(restored, unseen))?.steps).toMatchObject([{ log_state: 'complete' }]);
    await expect.poll(() => status(ended), { timeout: 60_000 }).toBe('failed');
    expect(await diagnosis(ended)).toBe('job_disappeared');
    expect(await status(later)).toBeUndefined();
    // No row knows of it: it is ended, and its target is free.
    await expect.poll(() => system.listed('later'), { timeout: 60_000 }).toEqual([]);
    writeFileSync(flag('on'), '');
    await expect.poll(() => status(on), { timeout: 60_000 }).toBe('completed');
    // An open page accepts no version below the newest it has seen.
    expect(Number((await readJobView(restored, on))?.version)).toBeGreaterThan(2 ** 40);

    const schedules = async () => {
      const paused: Record<string, boolean> = {};
      for await (const { scheduleId, state } of client.client.schedule.list())
        paused[scheduleId] = state.paused;
      return paused;
    };
    await expect.poll(schedules, { timeout: 20_000 }).toEqual({
      'dev.done.sync': false,
      'dev.ended.sync': false,
      'dev.later.sync': false,
      'dev.on.sync': true,
      'dev.unseen.sync': false,
    });

    const token = await login(system.apiUrl);
    const started = await fetch(`${system.apiUrl}/sync/next/dev`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    const { job_id: next } = (await started.json()) as { job_id: number };
    expect(next).toBeGreaterThan(later);
    await expect.poll(() => status(next), { timeout: 30_000 }).toBe('completed');
    for (const [target, id] of Object.entries({ on, ended, unseen, later })) {
      const runs = new Set(readFileSync(path.join(dir, target), 'utf8').trim().split('\n'));
      expect([...runs], target).toEqual([`sync ${id}`]);
    }
    const { rows } = await restored.executeQuery<{ attempts: number }>(
      restored
        .selectFrom('steps')
        .select((eb) => eb.fn.max('attempt').as('attempts'))
        .compile(),
    );
    expect(rows).toEqual([{ attempts: 1 }]);
  } finally {
    await Promise.all([system.endParts('src/server.ts'), system.endParts('src/worker.ts')]);
    await client.close();
    await temporal.stop();
  }
});
