/**
 * Every address in brackets, with servers that listen on IPv6 only: api, worker, metrics, and a job with its
 * source, sink and reports.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { freePort } from '../../src/embedded/ports.ts';
import { setup } from '../job/support/setup.ts';
import { someRows } from '../job/support/fake-source.ts';
import { login } from '../support/login.ts';
import { startMovingAddress } from '../support/moving-address.ts';
import { paramsFile } from '../support/params-files.ts';
import { type System, startSystem } from '../support/system.ts';

const undo = new AsyncDisposableStack();
let system: System;
let environment: Record<string, string>;
let apiUrl: string;
let ends: Awaited<ReturnType<typeof setup>>;

async function inBrackets(url: string): Promise<string> {
  const front = undo.use(await startMovingAddress(Number(new URL(url).port), '::1'));
  return front.at(url);
}

beforeAll(async () => {
  ends = undo.use(await setup(someRows(20)));
  system = undo.use(
    await startSystem({ params: [paramsFile({ target: 'cities', action: 'sync', command: null })] }),
  );
  const [port, metrics, sdk] = [await freePort(), await freePort(), await freePort()];
  const { TEMPORAL_ADDRESS: temporal = '' } = system.environment;
  apiUrl = `http://[::1]:${port}`;
  environment = {
    HOST: '::1',
    PORT: String(port),
    DATABASE_URL: await inBrackets(system.databaseUrl),
    TEMPORAL_ADDRESS: new URL(await inBrackets(`http://${temporal}`)).host,
    METRICS_HOST: '::1',
    METRICS_PORT: String(metrics),
    TEMPORAL_METRICS_PORT: String(sdk),
  };
  const folder = path.join(system.dataDir, 'envtarget');
  mkdirSync(folder, { recursive: true });
  const settings = {
    SOURCE: 'ndjson',
    SOURCE_URL: await inBrackets(ends.source.url),
    SINK: 'postgres',
    SINK_URL: await inBrackets(ends.sinkUrl),
    SINK_TABLE: 'cities',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(path.join(folder, 'dev-cities.env'), lines.join(''), { mode: 0o600 });
}, 60_000);
afterAll(() => undo.disposeAsync(), 60_000);

test('a job runs and reports, and all metrics are served', { timeout: 120_000 }, async () => {
  expect(environment['TEMPORAL_ADDRESS']).toMatch(/^\[::1\]:\d+$/);
  const { METRICS_PORT: port, TEMPORAL_METRICS_PORT: sdk } = environment;
  await system.startWorker('src/worker.ts', environment);
  for (const of of [port, sdk]) {
    const scrape = await fetch(`http://[::1]:${of}/metrics`, { signal: AbortSignal.timeout(5_000) });
    expect(scrape.status).toBe(200);
  }
  const part = await system.startApi({ ...environment, METRICS_PORT: String(await freePort()) });
  const token = await login(apiUrl);
  const client = createClient({ url: apiUrl, token: async () => token });
  const answer = await fetch(`${apiUrl}/sync/cities/dev`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  const { job_id: id } = (await answer.json()) as { job_id: number };
  await system.until(id, 'completed', 60_000);
  expect(Object.keys((await ends.names()) ?? {})).toHaveLength(20);
  expect((await client.jobReports(id)).length).toBeGreaterThan(0);
  await part.stop();
});

test('an address in use is shown in brackets', async () => {
  await using taken = await startMovingAddress(1, '::1');
  const starting = system.startApi({ ...environment, PORT: String(taken.port), METRICS_PORT: '0' });
  await expect(starting).rejects.toThrow(`cannot listen on [::1]:${taken.port} (PORT):`);
});
