/** Tests an unreachable, killed or wiped Temporal: starts are accepted, running steps continue, records end correctly. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTemporal } from '../../src/embedded/temporal.ts';
import { params, startSystem, type System } from '../support/system.ts';

const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-temporal-'));
let temporal: Awaited<ReturnType<typeof startTemporal>>;
let system: System;

beforeAll(async () => {
  temporal = await startTemporal({ dataDir: dir });
  system = await startSystem({
    temporal: { address: temporal.address, namespace: 'default' },
    params: [
      params('running', 'sync', `--mute --seconds 8 --touch ${dir}/evidence`),
      params('wanted', 'sync', '--mute'),
    ],
  });
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  await temporal.stop();
  rmSync(dir, { recursive: true, force: true });
});

test('a job survives a Temporal that is killed and wiped while it runs', { timeout: 150_000 }, async () => {
  await system.startWorker();
  const running = await system.submit('running', 'sync');
  if (running.kind !== 'created') throw new Error(running.kind);
  await system.until(running.job.id, 'running');
  const [, port] = temporal.address.split(':');
  await temporal.stop();
  rmSync(path.join(dir, 'temporal.db'));

  const wanted = await system.submit('wanted', 'sync');
  if (wanted.kind !== 'created') throw new Error(wanted.kind);
  expect(wanted.job.status).toBe('queued');

  temporal = await startTemporal({ dataDir: dir, port: Number(port) });
  await system.until(wanted.job.id, 'completed', 60_000);
  const job = await system.until(running.job.id, 'completed', 90_000);
  expect(job.steps).toMatchObject([{ attempt: 1, outcome: 'completed' }]);
  const ran = new Set(readFileSync(path.join(dir, 'evidence'), 'utf8').trim().split('\n'));
  expect([...ran]).toEqual([`sync ${running.job.id}`]);
});
