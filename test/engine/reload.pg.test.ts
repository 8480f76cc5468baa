/** Params files that change under a running api and worker. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { readInstallation } from '../../src/db/migrate.ts';
import { freePort } from '../../src/embedded/ports.ts';
import { commandLine, MAIN } from '../cli/support.ts';
import { compileCache } from '../support/compile-cache.ts';
import { writeParams } from '../support/params-files.ts';
import type { ProductPart } from '../support/product-part.ts';
import { params, startSystem, type System } from '../support/system.ts';

let system: System;
let api: ProductPart;
let worker: ProductPart;
let ports: { api: number; worker: number };

beforeAll(async () => {
  ports = { api: await freePort(), worker: await freePort() };
  system = await startSystem({ params: [params('one', 'sync', '--mute --seconds 600')] });
  [api, worker] = await Promise.all([
    system.startApi({ METRICS_PORT: String(ports.api) }),
    system.startWorker('src/worker.ts', { METRICS_PORT: String(ports.worker) }),
  ]);
}, 90_000);
afterAll(() => system[Symbol.asyncDispose]());
beforeEach(async () => {
  rmSync(path.join(system.dataDir, 'job_params/dev'), { recursive: true });
  write('one', 'sync', '--mute --seconds 600');
  await system.call('POST', '/reload');
});

const write = (...of: Parameters<typeof params>) => writeParams(system.dataDir, [params(...of)]);
const file = (name: string) => path.join(system.dataDir, 'job_params/dev', name);
const SEEN = { timeout: 20_000 };

async function faultsIn(port: number): Promise<string | undefined> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return /^syncrator_params_faults (\d+)$/m.exec(text)?.[1];
}
const faultsOfAll = async () => [await faultsIn(ports.api), await faultsIn(ports.worker)];
async function lastPass(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${ports.worker}/metrics`)).text();
  return Number(/^syncrator_reconcile_last_pass_timestamp_seconds (\S+)$/m.exec(text)?.[1]);
}
const readiness = async () => (await system.call('GET', '/health/ready')).body['params'];

type Schedule = { id: string; schedule: string; next: string[] | null };
async function scheduled(): Promise<string[]> {
  const { body } = await system.call('GET', '/schedules');
  return (body['schedules'] as Schedule[])
    .filter(({ next }) => (next ?? []).length > 0)
    .map(({ id, schedule }) => `${id}: ${schedule}`);
}

test('a changed file is used within seconds without a call, and a running job keeps its parameters', async () => {
  const { body } = await system.call('POST', '/sync/one/dev');
  const id = Number(body['job_id']);
  await system.until(id, 'running');
  write('one', 'sync', '--mute --seconds 1');
  const options = async () => (await system.call('GET', '/sync/one/dev')).body['OPTIONS'];
  await expect.poll(options, SEEN).toContain('--seconds 1 ');
  const { status, options: submitted } = await system.job(id);
  expect([status, submitted]).toEqual(['running', '--mute --seconds 600']);
  await system.call('DELETE', `/jobs/${id}`);
  await system.until(id, 'deleted');
});

test('schedules follow the files: made, changed and removed', async () => {
  write('nightly', 'sync', '--mute', 'SCHEDULE=0 3 1 1 *\n');
  await expect.poll(scheduled, SEEN).toEqual(['dev.nightly.sync: 0 3 1 1 *']);
  write('nightly', 'sync', '--mute', 'SCHEDULE=0 4 1 1 *\n');
  const { body } = await system.call('POST', '/reload');
  expect(body).toMatchObject({ removed: [], files: 2 });
  await expect.poll(scheduled, SEEN).toEqual(['dev.nightly.sync: 0 4 1 1 *']);
  const inTemporal = async () => {
    const ids: string[] = [];
    for await (const { scheduleId } of system.temporal.client.schedule.list()) ids.push(scheduleId);
    return ids;
  };
  await expect.poll(inTemporal, SEEN).toEqual(['dev.nightly.sync']);
  rmSync(file('nightly-sync.public_params'));
  await expect.poll(inTemporal, SEEN).toEqual([]);
});

test('a faulty file leaves the last good state in use, and everything says so until it is corrected', async () => {
  write('one', 'sync', '--mute --seconds 2');
  write('bad', 'sync', '--mute', 'SCHEDULE=daily\n');
  const { status, body } = await system.call('POST', '/reload');
  expect([status, body['code']]).toEqual([422, 'params_faulty']);
  const [fault] = body['faults'] as [object];
  expect(fault).toMatchObject({ file: 'job_params/dev/bad-sync.public_params', line: 9, key: 'SCHEDULE' });
  expect((await system.call('GET', '/params')).body).toMatchObject({ files: 1, faults: [fault] });
  expect(await readiness()).toBe('faulty');
  expect((await system.call('GET', '/sync/one/dev')).body['OPTIONS']).toContain('--seconds 600 ');
  await expect.poll(faultsOfAll, SEEN).toEqual(['1', '1']);
  for (const part of [api, worker])
    expect(part.output()).toContain('the params files are faulty; the last good state stays in use');

  const syncrator = commandLine({ home: system.dataDir, url: () => system.apiUrl });
  await syncrator.login();
  const refused = await syncrator.syncrator(['reload']);
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringMatching(/stays in use: job_params\/dev\/bad-sync\.public_params:9: SCHEDULE: .*; correct/),
  ]);
  write('bad', 'sync', '--mute');
  const taken = await syncrator.syncrator(['reload', '--reason', 'corrected']);
  expect([taken.code, taken.stdout]).toEqual([0, expect.stringMatching(/^2 params files, read at \d{4}-/m)]);
  expect(await readiness()).toBe('ok');
  await expect.poll(faultsOfAll, SEEN).toEqual(['0', '0']);

  const audit = await system.call('GET', '/audit?verb=reload');
  const entries = audit.body as unknown as {
    principal: string;
    refused: string | null;
    reason: string | null;
  }[];
  expect(entries.slice(0, 3).map((of) => [of.principal, of.refused, of.reason])).toEqual([
    ['admin', null, 'corrected'],
    ['admin', 'params_faulty', null],
    ['admin', 'params_faulty', null],
  ]);
});

test('a worker whose files are faulty removes no schedule that a worker with newer files has made', async () => {
  const { schedule } = system.temporal.client;
  const installation = await readInstallation(system.db);
  write('bad', 'sync', '--mute', 'SCHEDULE=daily\n');
  await expect.poll(() => faultsIn(ports.worker), SEEN).toBe('1');
  const newer = await schedule.create({
    scheduleId: 'dev.newer.sync',
    spec: { calendars: [{ year: 2099 }] },
    action: { type: 'startWorkflow', workflowType: 'none', taskQueue: 'none' },
    memo: { installation },
  });
  const before = await lastPass();
  write('worse', 'sync', '--mute', 'SCHEDULE=daily\n'); // news, which begin a pass
  await expect.poll(() => faultsIn(ports.worker), SEEN).toBe('2');
  await expect.poll(lastPass, SEEN).toBeGreaterThan(before);
  expect((await newer.describe()).scheduleId).toBe('dev.newer.sync');
  for (const target of ['bad', 'worse']) rmSync(file(`${target}-sync.public_params`));
  await expect
    .poll(() => newer.describe().catch((error: Error) => error.name), SEEN)
    .toBe('ScheduleNotFoundError');
});

test('SIGHUP makes api and worker read the files, and ends neither', async () => {
  for (const part of [api, worker]) process.kill(part.pid ?? 0, 'SIGHUP');
  for (const part of [api, worker])
    await vi.waitFor(() => expect(part.output()).toContain('SIGHUP: reading the params files again'), 10_000);
  expect((await system.call('GET', '/health/ready')).status).toBe(200);
  write('after', 'sync', '--mute', 'SCHEDULE=0 5 1 1 *\n');
  await expect.poll(scheduled, SEEN).toEqual(['dev.after.sync: 0 5 1 1 *']);
});

test('an api whose terminal is closed ends, as nobody could end it any more', async () => {
  const port = await freePort();
  const pidFile = path.join(system.dataDir, 'pid');
  // `script` gives it a terminal; its death closes that.
  const server = `echo $$ > ${pidFile}; exec ${process.execPath} ${MAIN} server`;
  const terminal = spawn('script', ['-qec', server, '/dev/null'], {
    env: { PATH: process.env['PATH'] ?? '', ...compileCache(), ...system.environment, PORT: String(port) },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const answers = async () =>
    await fetch(`http://127.0.0.1:${port}/health/live`).then(
      ({ status }) => status,
      () => 'no answer',
    );
  await expect.poll(answers, { timeout: 30_000 }).toBe(200);
  const pid = Number(readFileSync(pidFile, 'utf8'));
  try {
    terminal.kill('SIGKILL');
    await once(terminal, 'exit');
    await expect.poll(() => isAlive(pid), SEEN).toBe(false);
  } finally {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  }
});

/** A process that has ended stays as a zombie until whoever adopted it has seen that. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return false;
  }
}
