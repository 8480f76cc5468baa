/**
 * The demo of `npm start` beyond the commands of readme.pg.test.ts: logins, races, exact counts, every action on an
 * empty source.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isGroupAlive } from '../../src/runner/process/process-group.ts';
import { listRunFolders, readSupervisor } from '../../src/runner/process/run-folder.ts';
import { type Product, startProduct } from '../support/product.ts';

const run = promisify(execFile);
const dataDir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-e2e-'));
let product: Product;

beforeAll(async () => {
  product = await startProduct(dataDir, { DEMO_RATE: '100000' });
}, 120_000);
afterAll(async () => {
  await product.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const demo = async (script: 'change' | 'verify', ...args: string[]) =>
  (
    await run(process.execPath, [`tools/demo/${script}.ts`, ...args], {
      env: { ...process.env, SYNCRATOR_DATA: dataDir },
    })
  ).stdout;

/** md5 of the sink; `verify` fails when source and sink differ, which some tests expect. */
async function digests(): Promise<{ source: string | undefined; sink: string | undefined }> {
  const text = await demo('verify').catch((error: unknown) => (error as { stdout: string }).stdout);
  return { source: /source\s+(\w{32})/.exec(text)?.[1], sink: /sink\s+(\w{32})/.exec(text)?.[1] };
}

/** Run folders with a live process. */
async function liveRuns(): Promise<string[]> {
  const live: string[] = [];
  for (const name of await listRunFolders(path.join(dataDir, 'runs'))) {
    const supervisor = await readSupervisor(path.join(dataDir, 'runs', name));
    if (!supervisor || isGroupAlive(supervisor)) live.push(name);
  }
  return live;
}

async function expectEqual(): Promise<string> {
  const { source, sink } = await digests();
  expect(sink).toBeDefined();
  expect(sink).toBe(source);
  return sink ?? '';
}

test('curl logs in with JSON, -d and -F, and a dry run shows what a sync would run', async () => {
  for (const flags of [
    [
      '-H',
      'content-type: application/json',
      '-d',
      JSON.stringify({ username: 'admin', password: product.password }),
    ],
    ['-d', 'username=admin', '--data-urlencode', `password=${product.password}`],
    ['-F', 'username=admin', '-F', `password=${product.password}`],
  ]) {
    const { stdout } = await run('curl', ['-s', '-m', '10', ...flags, `${product.url}/login`]);
    expect(JSON.parse(stdout)).toMatchObject({ expires_in: 899, token_type: 'bearer' });
  }
  const dryRun = await product.call('GET', '/sync/cities/dev');
  expect(dryRun.body).toMatchObject({
    ACTION: 'sync',
    job_id: 'dryrun',
    result: [
      { argv: ['node', 'src/job/main.ts', 'sync', '-n', '1000', '-c', '1', '--api_job_id', 'dryrun'] },
    ],
  });
  expect((await product.call('GET', '/jobs')).body).toEqual([]);
});

test('a sync runs with growing counts until the sink equals the source', { timeout: 120_000 }, async () => {
  const started = await product.call('POST', '/sync/cities/dev');
  expect(started.status).toBe(202);
  expect(await product.call('POST', '/sync/cities/dev')).toMatchObject({
    status: 200,
    body: { job_id: started.body['job_id'], deduplicated: true },
  });
  expect(await product.call('POST', '/delete/cities/dev')).toMatchObject({
    status: 409,
    body: { holder: { id: started.body['job_id'], action: 'sync' } },
  });
  const counts: number[] = [];
  const job = await product.untilFinal(Number(started.body['job_id']), (seen) => {
    if (seen.status === 'running' && seen.progress) counts.push(seen.progress.records_done ?? 0);
  });
  expect(job.status).toBe('completed');
  expect(new Set(counts).size).toBeGreaterThan(1);
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  await expectEqual();
});

test('50 parallel starts lead to one job; an immediate cancel leaves no process and an unchanged sink', {
  timeout: 60_000,
}, async () => {
  const { sink } = await digests();
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => product.call('POST', '/sync/cities/dev')),
  );
  expect(new Set(answers.map((answer) => answer.body['job_id'])).size).toBe(1);
  expect(answers.filter((answer) => answer.status === 202)).toHaveLength(1);
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(49);
  const id = Number(answers[0]?.body['job_id']);
  await expect
    .poll(async () => (await product.job(id)).status, { interval: 20, timeout: 20_000 })
    .toBe('running');
  expect((await product.call('DELETE', `/jobs/${id}`)).status).toBe(202);
  expect((await product.untilFinal(id)).status).toBe('deleted');
  expect(await liveRuns()).toEqual([]);
  expect((await digests()).sink).toBe(sink);
});

test('20 starts, each right after the previous job completed, are each claimed at once', {
  timeout: 120_000,
}, async () => {
  for (let nth = 0; nth < 20; nth++) {
    const job = await product.run('/delta/cities/dev');
    expect(job.status).toBe('completed');
    const waited = Date.parse(job.steps[0]?.created_at ?? '') - Date.parse(job.created_at);
    expect(waited, `start ${nth}`).toBeLessThanOrEqual(3_000);
  }
});

test('a rollback restores the table from before the last sync, and the next delta misses nothing', {
  timeout: 120_000,
}, async () => {
  const before = await expectEqual();
  await demo('change', '--change', '5');
  expect((await product.run('/sync/cities/dev')).status).toBe('completed');
  await demo('change', '--change', '4');
  expect((await product.run('/rollback/cities/dev')).status).toBe('completed');
  expect((await digests()).sink).toBe(before);
  expect((await product.run('/delta/cities/dev')).status).toBe('completed');
  await expectEqual();
});

test('an empty source never empties the sink', { timeout: 240_000 }, async () => {
  const { sink } = await digests();
  await demo('change', '--empty');
  for (const action of ['sync', 'delete', 'diff']) {
    const job = await product.run(`/${action}/cities/dev`);
    expect(job, action).toMatchObject({ status: 'failed', diagnosis: { code: 'delete_guard' } });
    expect((await digests()).sink).toBe(sink);
  }
  await demo('change', '--restore');
  await product.run('/diff/cities/dev');
  await expectEqual();
});

test('Ctrl-C stops every part', { timeout: 60_000 }, async () => {
  const parts = JSON.parse(readFileSync(path.join(dataDir, 'npm-start.json'), 'utf8')) as {
    parts: { pid: number }[];
  };
  await product.stop();
  for (const { pid } of parts.parts) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});
