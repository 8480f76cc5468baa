/** A receiver that accepts requests and never answers: it delays no job, no schedule, and no stopping worker. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProductPart } from '../support/product-part.ts';
import { params, startSystem, type System } from '../support/system.ts';

/** More than the 100 slots of a worker for short activities, which launches and firings use. */
const NOTICES = 130;
/** How long a worker waits for an answer. */
const DEADLINE_MS = 10_000;

const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-silent-'));
/** Start times of the tries under way. */
const waiting = new Map<object, number>();
/** Durations of the tries that were given up. */
const gaveUpAfterMs: number[] = [];
const heardOf = new Set<string>();
let mostAtOnce = 0;
let server: Server;
let system: System;
let worker: ProductPart;

beforeAll(async () => {
  server = createServer((request, response) => {
    heardOf.add(String(request.headers['webhook-id']));
    waiting.set(response, performance.now());
    mostAtOnce = Math.max(mostAtOnce, waiting.size);
    response.once('close', () => {
      gaveUpAfterMs.push(performance.now() - (waiting.get(response) ?? 0));
      waiting.delete(response);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const file = path.join(dir, 'receivers.yaml');
  const secret = `whsec_${Buffer.from('a key of the tests that is long enough').toString('base64')}`;
  writeFileSync(file, `receivers: [{name: silent, url: '${url}', secret: ${secret}, targets: [loud]}]\n`);
  system = await startSystem({
    params: [params('quick', 'sync', '--mute'), params('often', 'delta', '--mute', 'SCHEDULE=every 1s\n')],
  });
  worker = await system.startWorker('src/worker.ts', { NOTIFICATIONS_FILE: file });
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

const firings = async () =>
  (await sql<{ count: number }>`SELECT count(*)::int AS count FROM schedule_firings`.execute(system.db))
    .rows[0]?.count ?? 0;

test('a job is launched and a schedule fires while most notices still wait for their first try', {
  timeout: 120_000,
}, async () => {
  await sql`INSERT INTO notices (event, env, target, job_id)
    SELECT 'failed', 'dev', 'loud', 0 FROM generate_series(1, ${NOTICES}::int)`.execute(system.db);
  const left = async () =>
    (
      await sql<{ count: number }>`SELECT count(*)::int AS count FROM notices WHERE target = 'loud'`.execute(
        system.db,
      )
    ).rows[0]?.count;
  // Temporal has all of them by now, and every slot for them is taken.
  await expect.poll(left, { timeout: 60_000 }).toBe(0);
  const fired = await firings();
  const submitted = await system.submit('quick', 'sync');
  await system.until(submitted.kind === 'created' ? submitted.job.id : 0, 'completed', 60_000);
  await expect.poll(firings, { timeout: 60_000 }).toBeGreaterThan(fired);
  expect(heardOf.size).toBeGreaterThan(0);
  expect(heardOf.size).toBeLessThan(NOTICES);
  expect(mostAtOnce).toBeLessThan(NOTICES / 3);
});

test('a stopping worker does not wait for the receiver’s answer', { timeout: 60_000 }, async () => {
  const youngest = () => performance.now() - Math.max(0, ...waiting.values());
  await expect.poll(youngest, { timeout: 30_000, interval: 10 }).toBeLessThan(1_000);
  gaveUpAfterMs.length = 0;
  await worker.stop();
  await expect.poll(() => waiting.size).toBe(0);
  expect(Math.min(...gaveUpAfterMs)).toBeLessThan(DEADLINE_MS * 0.8);
});
