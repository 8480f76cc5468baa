/** A job's life on the real parts: submitted, run by a real process, ended. */
import { readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readInstallation } from '../../src/db/migrate.ts';
import { STEP_DEFAULTS } from '../../src/domain/plan.ts';
import { createProcessRunner } from '../../src/runner/process/process-runner.ts';
import { params, STEP_PROGRAM, startSystem, type System } from '../support/system.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem({
    params: [
      params('quick', 'sync', '--mute'),
      params('failing', 'sync', '--mute --exit 3'),
      params('disrupted', 'sync', '--mute --seconds 3', 'RETRIES=1\n'),
      params('vanished', 'sync', '--mute --seconds 60'),
      params('flooding', 'sync', '--mute --seconds 20 --flood', 'TIMEOUT=2s\n'),
      params('blocked', 'sync', '--mute', 'START_TIMEOUT=1s\n'),
      params('orphaned', 'sync', '--mute --seconds 4'),
      params('late', 'sync', '--mute --seconds 60', 'TIMEOUT=1s\n'),
    ],
  });
  await system.startWorker();
});

afterAll(() => system[Symbol.asyncDispose]());

async function submitted(target: string) {
  const result = await system.submit(target, 'sync');
  if (result.kind !== 'created') throw new Error(`not created: ${result.kind}`);
  return result.job.id;
}

test('a job is run by a process and completes, with its log kept', async () => {
  const id = await submitted('quick');
  const job = await system.until(id, 'completed');
  expect(job.steps).toMatchObject([{ step: 0, attempt: 1, outcome: 'completed' }]);
  expect(job.finished_at).not.toBeNull();
  const log = await system.db.selectFrom('step_logs').select('text').where('job_id', '=', id).execute();
  expect(log.map((chunk) => chunk.text).join('')).toContain(`sync at work for job ${id}`);
});

test('a program that fails fails the job, with the reason of its exit code', async () => {
  const job = await system.until(await submitted('failing'), 'failed');
  expect(job.diagnosis).toMatchObject({ code: 'delete_guard' });
});

test('a program that runs too long is ended and the job fails by its deadline', async () => {
  const job = await system.until(await submitted('late'), 'failed');
  expect(job.diagnosis).toMatchObject({ code: 'deadline' });
});

/** The supervisor of a job's newest step and the program it runs. */
async function processesOf(id: number): Promise<{ supervisor: number; program: number }> {
  const name = (await system.job(id)).steps.at(-1)?.name ?? '';
  const file = path.join(system.dataDir, 'runs', name, 'supervisor.json');
  const { pid } = JSON.parse(readFileSync(file, 'utf8')) as { pid: number };
  const program = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
  return { supervisor: pid, program };
}

test('a disruption from outside is tried again as a new attempt, as often as RETRIES allows', async () => {
  const id = await submitted('disrupted');
  await system.until(id, 'running');
  process.kill((await processesOf(id)).program, 'SIGTERM');
  const job = await system.until(id, 'completed');
  expect(job.steps).toMatchObject([
    { attempt: 1, outcome: 'failed', diagnosis: { code: 'disrupted' } },
    { attempt: 2, outcome: 'completed' },
  ]);
});

test('a run that vanishes with its supervisor fails, never completes', async () => {
  const id = await submitted('vanished');
  await system.until(id, 'running');
  const { supervisor } = await processesOf(id);
  process.kill(-supervisor, 'SIGKILL');
  expect((await system.until(id, 'failed')).diagnosis).toMatchObject({ code: 'job_disappeared' });
});

test('a program that outlives its supervisor holds the job until it is gone too', async () => {
  const id = await submitted('orphaned');
  await system.until(id, 'running');
  const { supervisor, program } = await processesOf(id);
  process.kill(supervisor, 'SIGKILL');
  expect((await system.until(id, 'failed')).diagnosis).toMatchObject({ code: 'job_disappeared' });
  expect(() => process.kill(program, 0)).toThrow('ESRCH');
});

test('a program that floods its log is still watched, and the end of the log is kept', async () => {
  const id = await submitted('flooding');
  const job = await system.until(id, 'failed');
  expect(job.diagnosis).toMatchObject({ code: 'deadline' });
  const stored = await system.db
    .selectFrom('step_logs')
    .select((eb) => eb.fn.sum<number>('byte_length').as('bytes'))
    .where('job_id', '=', id)
    .executeTakeFirstOrThrow();
  expect(stored.bytes).toBeGreaterThan(64 * 1024);
  expect(stored.bytes).toBeLessThan(4 * 1024 * 1024);
});

test('what stands in the way of a launch fails the job by START_TIMEOUT and names it', async () => {
  // A run of the same target that no row knows of: as an earlier job's pod that would not end.
  const installation = await readInstallation(system.db);
  const runner = createProcessRunner({ dataDir: system.dataDir, installation });
  const name = 'syn-earlier-0000000000000000-0-1';
  const spec = {
    action: 'sync',
    args: ['sync', '--mute', '--seconds', '60'],
    command: ['node', STEP_PROGRAM],
  };
  const launched = await runner.launch({
    name,
    labels: {
      installation,
      jobId: 0,
      jobUid: randomUUID(),
      env: 'dev',
      target: 'blocked',
      action: 'sync',
      step: 0,
      attempt: 1,
      specHash: '',
    },
    spec: { ...STEP_DEFAULTS, ...spec, image: '', environment: {} },
    reportUrl: '',
    reportToken: '',
    checkpoint: undefined,
  });
  if (launched.kind !== 'launched') throw new Error(launched.kind);
  const job = await system.until(await submitted('blocked'), 'failed');
  expect(job.diagnosis).toMatchObject({ code: 'start_timeout' });
  expect(job.diagnosis?.detail).toContain(name);
  await runner.remove({ name, uid: launched.uid, force: true });
});

test('a run folder that a power cut tore keeps no other target from running', async () => {
  const torn = path.join(system.dataDir, 'runs', 'syn-torn');
  await mkdir(torn, { recursive: true });
  await writeFile(path.join(torn, 'spec.json'), '');
  await system.until(await submitted('quick'), 'completed');
});
