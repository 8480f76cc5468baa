/** Exit codes of programs that are not ours are shown everywhere as a number with the end of the log. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadJobParams } from '../../../src/job-params/load.ts';
import { readJobNumbers } from '../../../src/metrics/job-metrics.ts';
import { paramsFile } from '../../support/params-files.ts';
import { params, startSystem, type System } from '../../support/system.ts';

const scripts = mkdtempSync(path.join(os.tmpdir(), 'syncrator-codes-'));
/** A foreign program that prints `bad flag` and ends with a code. */
function program(target: string, code: number, more = ''): [string, string] {
  const script = path.join(scripts, `${target}.sh`);
  writeFileSync(script, `echo bad flag; exit ${code}\n`);
  return paramsFile({ target, action: 'sync', command: `sh ${script}`, more });
}

let system: System;
beforeAll(async () => {
  system = await startSystem({
    params: [
      program('three', 3),
      program('term', 143, 'RETRIES=2\n'),
      program('kept', 3, 'EXIT_CODES=syncrator\n'),
      params('tells', 'sync', '--progress 1 --exit 3'),
    ],
  });
  await system.startApi();
  await system.startWorker();
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  rmSync(scripts, { recursive: true, force: true });
});

async function failed(target: string) {
  const submitted = await system.submit(target, 'sync');
  if (submitted.kind !== 'created') throw new Error(submitted.kind);
  const job = await system.until(submitted.job.id, 'failed', 60_000);
  return { ...job.diagnosis, attempts: job.steps.length, reason: job.status_reason };
}

test('are diagnosed as exit_code with the end of the log', { timeout: 90_000 }, async () => {
  expect(await failed('three')).toMatchObject({
    code: 'exit_code',
    summary: 'The program ended with exit code 3.',
    detail: 'bad flag',
  });
  expect(await failed('term')).toMatchObject({ code: 'exit_code', detail: 'bad flag', attempts: 1 });
});

test('have our meanings if the params file says so or the program has sent a report', {
  timeout: 90_000,
}, async () => {
  expect(await failed('kept')).toMatchObject({ code: 'delete_guard', detail: 'bad flag' });
  expect(await failed('tells')).toMatchObject({ code: 'delete_guard' });
});

test('are counted as exit_code in the metrics', async () => {
  const declared = await loadJobParams(system.environment['JOB_PARAMS'] ?? '');
  const { totals } = await readJobNumbers(system.db, declared, new Date());
  expect(totals.map(({ target, reason }) => `${target} ${reason}`).toSorted()).toEqual([
    'kept delete_guard',
    'tells delete_guard',
    'term exit_code',
    'three exit_code',
  ]);
});
