/** A job's life on the real parts: submitted, run by a real process, ended. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { params, startSystem, type System } from '../support/system.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem({
    params: [
      params('quick', 'sync', '--mute'),
      params('failing', 'sync', '--mute --exit 3'),
      params('slow', 'sync', '--mute --seconds 60'),
      params('stubborn', 'sync', '--mute --seconds 60 --stubborn'),
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
