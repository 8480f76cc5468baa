/** Tests cases of the process runner: dead supervisors, programs that outlive them, log floods, torn folders. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readInstallation } from '../../src/db/migrate.ts';
import { startJob } from '../../src/engine/start-job.ts';
import { paramsFile } from '../support/params-files.ts';
import { params, startSystem, type System } from '../support/system.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem({
    params: [
      params('quick', 'sync', '--mute'),
      params('disrupted', 'sync', '--mute --seconds 3', 'EXIT_CODES=syncrator\nRETRIES=1\n'),
      params('vanished', 'sync', '--mute --seconds 60'),
      params('flooding', 'sync', '--mute --seconds 20 --flood', 'TIMEOUT=2s\n'),
      params('orphaned', 'sync', '--mute --seconds 4'),
      // Prints its settings, and fails.
      paramsFile({ target: 'told', action: 'sync', command: 'sh -c env;false' }),
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

test('a disruption is retried as a new attempt, as often as RETRIES allows', async () => {
  const id = await submitted('disrupted');
  await system.until(id, 'running');
  process.kill((await processesOf(id)).program, 'SIGTERM');
  const job = await system.until(id, 'completed');
  expect(job.steps).toMatchObject([
    { attempt: 1, outcome: 'failed', diagnosis: { code: 'disrupted' } },
    { attempt: 2, outcome: 'completed' },
  ]);
});

test('a program gets its job, and the first job of its chain of resumes, by environment', async () => {
  const declared = await system.submit('told', 'sync');
  if (declared.kind !== 'created') throw new Error(declared.kind);
  const told: Map<string, string>[] = [];
  let { job } = declared;
  for (let attempt = 0; attempt < 3; attempt++) {
    await system.until(job.id, 'failed');
    const { rows } = await sql<{ text: string }>`
      SELECT text FROM step_logs WHERE job_id = ${job.id} ORDER BY byte_offset`.execute(system.db);
    const lines = rows
      .map(({ text }) => text)
      .join('')
      .split('\n');
    told.push(
      new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])),
    );
    const resumed = await startJob(system, {
      env: 'dev',
      target: 'told',
      runner: job.runner,
      steps: job.steps_spec,
      parameters: job,
      trigger: 'resume',
      requestedBy: 'test',
      resumes: { jobId: job.id, skippedSteps: 0 },
    });
    if (resumed.kind !== 'created') throw new Error(resumed.kind);
    for (const [name, value] of [
      ['ENV', 'dev'],
      ['TARGET', 'told'],
      ['INSTALLATION', await readInstallation(system.db)],
      ['JOB_UID', job.uid],
      ['ORIGIN_UID', declared.job.uid],
      ['STEP', '0'],
      ['ATTEMPT', '1'],
    ] as const)
      expect([name, told.at(-1)?.get(`SYNCRATOR_${name}`)]).toEqual([name, value]);
    ({ job } = resumed);
  }
  expect(new Set(told.map((one) => one.get('SYNCRATOR_JOB_UID'))).size).toBe(3);
});

test('a step that vanishes with its supervisor fails', async () => {
  const id = await submitted('vanished');
  await system.until(id, 'running');
  const { supervisor } = await processesOf(id);
  process.kill(-supervisor, 'SIGKILL');
  expect((await system.until(id, 'failed')).diagnosis).toMatchObject({ code: 'job_disappeared' });
});

test('a program that outlives its supervisor keeps the job active until it ends', async () => {
  const id = await submitted('orphaned');
  await system.until(id, 'running');
  const { supervisor, program } = await processesOf(id);
  process.kill(supervisor, 'SIGKILL');
  expect((await system.until(id, 'failed')).diagnosis).toMatchObject({ code: 'job_disappeared' });
  // Its parent is gone: the process that inherited it must reap it first.
  await expect.poll(() => existsSync(`/proc/${program}`) && !isZombie(program)).toBe(false);
});

test('a program that floods its log is still watched, and the end of its log is stored', async () => {
  const id = await submitted('flooding');
  const job = await system.until(id, 'failed');
  expect(job.diagnosis).toMatchObject({ code: 'deadline' });
  const stored = await system.db
    .selectFrom('step_logs')
    .select((eb) => eb.fn.sum<number>('byte_length').as('bytes'))
    .where('job_id', '=', id)
    .executeTakeFirstOrThrow();
  expect(stored.bytes).toBeGreaterThan(64 * 1024);
  expect(stored.bytes).toBeLessThan(17 * 1024 * 1024); // LOG_LIMIT plus a part or two
});

test('a torn run folder does not block other targets', async () => {
  const torn = path.join(system.dataDir, 'runs', 'syn-torn');
  await mkdir(torn, { recursive: true });
  await writeFile(path.join(torn, 'spec.json'), '');
  await system.until(await submitted('quick'), 'completed');
});

function isZombie(pid: number): boolean {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
}
