/** The requests of a follower, counted by a proxy: one stream, or polls every second when there are too many streams. */
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { login } from '../support/login.ts';
import type { ProductPart } from '../support/product-part.ts';
import { params, startSystem, type System } from '../support/system.ts';
import { commandLine } from './support.ts';

/** Streams that one user may have open. */
const ROOM = 50;

let system: System;
let worker: ProductPart;
let proxy: http.Server;
let token: string;
let asked: string[] = [];
const home = mkdtempSync(path.join(os.tmpdir(), 'syncrator-follow-'));
const proxyUrl = () => `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
const { begin, syncrator } = commandLine({ home, url: proxyUrl });

beforeAll(async () => {
  system = await startSystem({ params: [params('silent', 'sync', '--mute --seconds 600')] });
  [worker] = await Promise.all([system.startWorker(), system.startApi()]);
  token = await login(system.apiUrl);
  proxy = http.createServer((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
    const { method, headers } = request;
    const onward = http.request(system.apiUrl + (request.url ?? ''), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    response.on('close', () => onward.destroy());
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await system[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});
beforeEach(() => {
  asked = [];
});

const environment = () => ({ SYNCRATOR_TOKEN: token });

/** The id of a job that runs on without reports. */
async function startLong(): Promise<string> {
  const { stdout } = await syncrator(['sync', 'silent', 'dev', '--output', 'json'], {
    environment: environment(),
  });
  return String((JSON.parse(stdout) as { job_id: number }).job_id);
}

test('one stream suffices, and a terminal updates the elapsed time each second', async () => {
  const id = await startLong();
  await system.until(Number(id), 'running');
  asked = [];
  const watching = begin(['jobs', 'watch', id], { environment: environment(), isTerminal: true });
  await watching.says('running');
  worker.pause(); // no worker observes the job, so nothing of it changes
  const times = () => new Set([...watching.said().matchAll(/ {2}(\d+s)\b/g)].map(([, time]) => time));
  await expect.poll(() => times().size, { timeout: 20_000 }).toBeGreaterThanOrEqual(4);
  worker.resume();
  await syncrator(['jobs', 'cancel', id], { environment: environment() });
  await watching.ended();
  expect(watching.said()).toMatch(/status +.*deleted/);
  expect(asked).toEqual([`GET /jobs/${id}/events`, `DELETE /jobs/${id}`]);
});

test('`follow` polls each second where no stream is available, and sees the end', async () => {
  const id = await startLong();
  await system.until(Number(id), 'running');
  const gone = new AbortController();
  const listening: Response[] = [];
  const fill = async () => {
    const opened = Array.from({ length: ROOM - listening.length }, () =>
      fetch(`${system.apiUrl}/events`, {
        headers: { authorization: `Bearer ${token}` },
        signal: gone.signal,
      }),
    );
    listening.push(...(await Promise.all(opened)).filter(({ status }) => status === 200));
    return listening.length;
  };
  // The slot of a listener that has just left may not be free yet.
  await expect.poll(fill, { timeout: 10_000 }).toBe(ROOM);
  const watching = begin(['jobs', 'watch', id], { environment: environment() });
  await watching.says('running');
  asked = [];
  const began = performance.now();
  const questions = () => asked.filter((what) => what === `GET /jobs/${id}`).length;
  await expect.poll(questions, { timeout: 20_000, interval: 20 }).toBeGreaterThanOrEqual(3);
  // Two whole seconds between the three polls, however slow the machine.
  expect(performance.now() - began).toBeGreaterThan(1_500);
  await syncrator(['jobs', 'cancel', id], { environment: environment() });
  const { code, stdout } = await watching.ended();
  expect([code, stdout]).toEqual([2, expect.stringMatching(/status +deleted/)]);
  gone.abort();
});
