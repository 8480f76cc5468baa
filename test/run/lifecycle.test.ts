/** What only processes do: supervisors that die, programs that outlive them, floods, torn folders. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { params, startSystem, type System } from '../support/system.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem({
    params: [
      params('quick', 'sync', '--mute'),
      params('disrupted', 'sync', '--mute --seconds 3', 'RETRIES=1\n'),
      params('vanished', 'sync', '--mute --seconds 60'),
      params('flooding', 'sync', '--mute --seconds 20 --flood', 'TIMEOUT=2s\n'),
      params('orphaned', 'sync', '--mute --seconds 4'),
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
  // Its parent is gone: whoever inherited it has to reap it first.
  await expect.poll(() => existsSync(`/proc/${program}`) && !isZombie(program)).toBe(false);
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
  expect(stored.bytes).toBeLessThan(17 * 1024 * 1024); // LOG_LIMIT and a part or two
});

test('a run folder that a power cut tore keeps no other target from running', async () => {
  const torn = path.join(system.dataDir, 'runs', 'syn-torn');
  await mkdir(torn, { recursive: true });
  await writeFile(path.join(torn, 'spec.json'), '');
  await system.until(await submitted('quick'), 'completed');
});

function isZombie(pid: number): boolean {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
}
