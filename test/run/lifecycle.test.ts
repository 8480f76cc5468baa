/** A job's life on the real parts: submitted, run by a real process, ended. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { params, startSystem, type System } from '../support/system.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem({
    params: [
      params('quick', 'sync', '--mute'),
      params('failing', 'sync', '--mute --exit 3'),
      params('disrupted', 'sync', '--mute --seconds 3', 'RETRIES=1\n'),
      params('vanished', 'sync', '--mute --seconds 60'),
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
