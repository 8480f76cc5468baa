/** Tests crashes between two writes: whichever process dies, the row is the truth and another process continues. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { params, startSystem, type System } from '../support/system.ts';

const evidence = mkdtempSync(path.join(os.tmpdir(), 'syncrator-evidence-'));
let system: System;

beforeAll(async () => {
  system = await startSystem({
    params: [
      params('unpoked', 'sync', '--mute'),
      params('unrecorded', 'sync', '--mute --seconds 60 --lines 10'),
      params('stopped', 'sync', `--touch ${evidence}/stopped`),
    ],
  });
});
afterAll(() => system[Symbol.asyncDispose]());

test('a job runs although its api was killed between insert and poke', {
  timeout: 60_000,
}, async () => {
  // It accepts connections and never answers: the insert is done, the poke hangs.
  const silent = net.createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as net.AddressInfo;
  const api = await system.startApi({ TEMPORAL_ADDRESS: `127.0.0.1:${port}` });
  const answer = system.call('POST', '/sync/unpoked/dev').catch((error: unknown) => error);
  await expect
    .poll(async () => (await system.db.selectFrom('jobs').select('status').execute()).length)
    .toBe(1);
  await api.kill();
  await answer;
  silent.close();
  const { id, status } = await system.db.selectFrom('jobs').selectAll().executeTakeFirstOrThrow();
  expect(status).toBe('queued');
  await system.startWorker();
  await system.until(id, 'completed');
});

test('a cancel keeps the whole log of a step whose worker was killed between create and record', {
  timeout: 120_000,
}, async () => {
  await system.startApi();
  const held = await startSystemWithOneHeldWorker('unrecorded', 'launch:after:1');
  const submitted = await system.submit('unrecorded', 'sync');
  if (submitted.kind !== 'created') throw new Error(submitted.kind);
  const { id } = submitted.job;
  await expect.poll(() => isHeld('unrecorded'), { timeout: 30_000 }).toBe(true);
  await held.kill();
  expect((await system.job(id)).steps).toMatchObject([{ log_bytes: 0 }]);
  expect((await system.call('DELETE', `/jobs/${id}`)).status).toBe(202);
  await system.startWorker();
  const { steps } = await system.until(id, 'deleted', 90_000);
  expect(steps).toMatchObject([{ log_state: 'complete' }]);
  expect(await system.logText(id)).toMatch(/at work for job \d+\n[^]*line 10 x+\n$/);
});

test('a worker suspended inside a launch past its time-out writes nothing when it resumes', {
  timeout: 300_000,
}, async () => {
  const stopped = await startSystemWithOneHeldWorker('stopped', 'launch:before:1');
  const submitted = await system.submit('stopped', 'sync');
  if (submitted.kind !== 'created') throw new Error(submitted.kind);
  const { id } = submitted.job;
  await expect.poll(() => isHeld('stopped'), { timeout: 30_000 }).toBe(true);
  stopped.pause();
  expect((await system.call('DELETE', `/jobs/${id}`)).status).toBe(202);
  await system.startWorker();
  // The stopped worker's polls swallow some tasks, each until its time-out.
  await system.until(id, 'deleted', 150_000);
  writeFileSync(path.join(system.dataDir, 'release'), '');
  stopped.resume();
  // It launches an unwanted program; that asks first and is refused, and the reconciler cleans up.
  const folders = async () => (await system.listed('stopped')).length;
  await expect.poll(folders, { timeout: 60_000 }).toBe(1);
  await expect.poll(() => system.live('stopped'), { timeout: 30_000 }).toEqual([]);
  expect(existsSync(path.join(evidence, 'stopped'))).toBe(false);
  expect(await system.job(id)).toMatchObject({ status: 'deleted' });
  await expect.poll(folders, { timeout: 40_000 }).toBe(0);
});

const isHeld = (target: string) => existsSync(path.join(system.dataDir, 'held', target));

/** Stops all other workers first, so that this one surely makes the launch. */
async function startSystemWithOneHeldWorker(target: string, point: string) {
  await system.endParts('src/worker.ts');
  return await system.startWorker('test/support/breakpoint-worker.ts', {
    HOLD_AT: JSON.stringify({ [target]: point }),
  });
}
