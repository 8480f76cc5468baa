/**
 * Receivers hear of jobs and missed schedules: signed, repeated until accepted, once each; secrets appear nowhere
 * else.
 */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { noticeMissed } from '../../src/db/notices.ts';
import type { ProductPart } from '../support/product-part.ts';
import { params, startSystem, type System } from '../support/system.ts';

const KEY = Buffer.from('a key of the tests that is long enough');
const SECRET = `whsec_${KEY.toString('base64')}`;
const SLACK_PATH = '/services/T000/B000/a-secret-in-the-path';

type Delivery = { path: string; id: string; signature: string; timestamp: string; body: string };

const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-receivers-'));
let server: Server;
let system: System;
let worker: ProductPart;
let deliveries: Delivery[] = [];
/** The answers in turn; 204 when none is left. */
let answers: number[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const header = (name: string) => request.headers[name]?.toString() ?? '';
    void text(request).then((body) => {
      const status = answers.shift() ?? 204;
      if (status === 302) response.setHeader('location', '/elsewhere');
      response.writeHead(status).end();
      deliveries.push({
        path: request.url ?? '',
        id: header('webhook-id'),
        signature: header('webhook-signature'),
        timestamp: header('webhook-timestamp'),
        body,
      });
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const file = path.join(dir, 'receivers.yaml');
  writeFileSync(
    file,
    `receivers:
  - name: catalogue
    url: ${url}/hook
    secret: ${SECRET}
    events: [started, completed, failed, deleted, losses_waiting]
    targets: [good, bad]
  - {name: team, url: '${url}${SLACK_PATH}', format: slack, targets: [bad, nightly]}
  - {name: elsewhere, url: '${url}/elsewhere', format: slack, envs: [prd]}
`,
  );
  system = await startSystem({
    params: [
      params('good', 'sync', '--seconds 0'),
      params('bad', 'sync', '--exit 3'),
      params('nightly', 'sync', '--mute', 'SCHEDULE=0 3 * * *\n'),
    ],
  });
  await system.startApi();
  worker = await system.startWorker('src/worker.ts', {
    NOTIFICATIONS_FILE: file,
    SYNCRATOR_PUBLIC_URL: 'https://sync.example.org/',
  });
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(() => {
  deliveries = [];
  answers = [];
});

const of = (where: string) => deliveries.filter((delivery) => delivery.path === where);
/** In the order of the events: two simultaneous ones may arrive in any order. */
const bodies = (where: string) =>
  of(where)
    .map(({ body }) => JSON.parse(body) as Record<string, unknown>)
    .toSorted((one, other) => String(one['timestamp']).localeCompare(String(other['timestamp'])));
const run = async (target: string, end: string) => {
  const submitted = await system.submit(target, 'sync');
  const id = submitted.kind === 'created' ? submitted.job.id : 0;
  await system.until(id, end);
  return id;
};
const told = (where: string, count: number) =>
  expect.poll(() => of(where).length, { timeout: 30_000 }).toBe(count);

test('the start and the end of a job are delivered in that order, signed, with its facts', async () => {
  const id = await run('good', 'completed');
  await told('/hook', 2);
  expect(bodies('/hook')).toMatchObject([
    { type: 'job.started', data: { id, target: 'good', env: 'dev', action: 'sync' } },
    {
      type: 'job.completed',
      timestamp: expect.stringMatching(/Z$/) as string,
      data: {
        id,
        status: 'completed',
        records: { done: 10, added: 6, updated: 3, deleted: 1 },
        url: `https://sync.example.org/#/jobs/${id}`,
      },
    },
  ]);
  for (const { id: delivery, timestamp, body, signature } of of('/hook')) {
    const mac = createHmac('sha256', KEY).update(`${delivery}.${timestamp}.${body}`).digest('base64');
    expect(signature).toBe(`v1,${mac}`);
    expect(Math.abs(Date.now() / 1000 - Number(timestamp))).toBeLessThan(60);
  }
  expect(new Set(of('/hook').map((delivery) => delivery.id)).size).toBe(2);
  // Notices without a receiver are forgotten, and so are delivered ones.
  const { rows } = await sql`SELECT * FROM notices`.execute(system.db);
  expect(rows).toEqual([]);
});

test('a delivery is repeated with the same id until the receiver accepts it', async () => {
  answers = [500, 302];
  await run('good', 'completed');
  await expect.poll(() => new Set(of('/hook').map(({ id }) => id)).size, { timeout: 40_000 }).toBe(2);
  await told('/hook', 4);
  // A redirect is no success: nothing was sent to its target.
  expect(of('/elsewhere')).toEqual([]);
});

test('a channel gets a failure in words, escaped, with what to do', async () => {
  const id = await run('bad', 'failed');
  await told(SLACK_PATH, 1);
  const [{ text: words } = { text: '' }] = bodies(SLACK_PATH) as { text: string }[];
  expect(words).toContain(
    `sync of *bad* in *dev* failed (<https://sync.example.org/#/jobs/${id}|job ${id}>)`,
  );
  expect(words).toContain('> Check the source.');
  await told('/hook', 2);
  expect(bodies('/hook').map(({ type }) => type)).toEqual(['job.started', 'job.failed']);
});

test('a missed schedule is delivered once, however often it is found', async () => {
  const missed = {
    schedule: 'dev.nightly.sync',
    env: 'dev',
    target: 'nightly',
    at: new Date('2025-11-24T03:00:00Z'),
  };
  await noticeMissed(system.db, missed);
  await told(SLACK_PATH, 1);
  await noticeMissed(system.db, missed);
  await noticeMissed(system.db, { ...missed, at: new Date('2025-11-25T03:00:00Z') });
  await told(SLACK_PATH, 2);
  expect(bodies(SLACK_PATH).map(({ text: words }) => words)).toEqual(
    ['24', '25'].map(
      (day) =>
        `⏰ *nightly* in *dev* has missed its schedule dev.nightly.sync, due 2025-11-${day}T03:00:00.000Z (<https://sync.example.org/#/|Syncrator>)`,
    ),
  );
});

test('the reconciler finds a firing that was missed by an hour', { timeout: 60_000 }, async () => {
  // The schedule has existed for two days, and nothing has succeeded since.
  const made = new Date(Date.now() - 2 * 24 * 3600_000);
  await sql`UPDATE schedule_promises SET since = ${made} WHERE schedule = 'dev.nightly.sync'`.execute(
    system.db,
  );
  await told(SLACK_PATH, 1);
  expect(bodies(SLACK_PATH)[0]?.['text']).toContain('has missed its schedule dev.nightly.sync');
});

test('a loss that has waited for a day is delivered with its size, in JSON and in words', async () => {
  const job = await run('bad', 'failed');
  await told(SLACK_PATH, 1);
  await told('/hook', 2);
  deliveries = [];
  const { rows } = await sql<{ id: number }>`
    INSERT INTO losses (env, target, status, reason, job_id, started_by, caused_by, count, live, pinned, digest, born_at,
      changed_at, noticed_at)
    VALUES ('dev', 'bad', 'waiting', 'over_threshold', ${job}, 'ada', '{ada}', 1204, 48211, 0, 'd', now(), now(),
      now() - interval '1 day') RETURNING id`.execute(system.db);
  await told(SLACK_PATH, 1);
  await told('/hook', 1);
  const url = `https://sync.example.org/#/losses/${rows[0]?.id}`;
  expect(bodies('/hook')).toMatchObject([
    {
      type: 'losses.waiting',
      data: {
        env: 'dev',
        target: 'bad',
        loss: rows[0]?.id,
        job,
        count: 1204,
        live: 48211,
        percent: 2.5,
        url,
      },
    },
  ]);
  expect(bodies(SLACK_PATH)[0]?.['text']).toBe(
    `⚖ 1204 records of *bad* in *dev* (2.5 %) are gone at the source and wait: approve that they are removed, or keep them (<${url}|loss ${rows[0]?.id}>)`,
  );
});

test('410 ends a delivery: the receiver does not want it', async () => {
  answers = [410];
  await system.call('DELETE', `/jobs/${await run('good', 'completed')}`);
  await expect.poll(() => new Set(of('/hook').map(({ id }) => id)).size, { timeout: 30_000 }).toBe(2);
  expect(of('/hook')).toHaveLength(2);
});

test('neither secret nor address is in Temporal, Postgres or a log', async () => {
  const secrets = [SECRET, KEY.toString(), 'a-secret-in-the-path'];
  let seen = 0;
  for await (const { workflowId, runId } of system.temporal.client.workflow.list({
    query: `WorkflowType = 'notify'`,
  })) {
    const history = await system.temporal.client.workflow.getHandle(workflowId, runId).fetchHistory();
    const plain = JSON.stringify(history, readable);
    expect(plain).toContain('"env":"dev"'.replaceAll('"', '\\"'));
    for (const secret of secrets) expect(plain).not.toContain(secret);
    seen += 1;
  }
  expect(seen).toBeGreaterThan(5);
  for (const secret of secrets) expect(worker.output()).not.toContain(secret);
});

/** The payloads of a history, decoded to text. */
function readable(key: string, value: unknown): unknown {
  return key === 'data' && typeof value === 'string' ? Buffer.from(value, 'base64').toString() : value;
}
