/** Alert rules and dashboard: valid for Prometheus' own tools, based on existing metrics, and one alert seen to fire. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { freePort } from '../../src/embedded/ports.ts';
import { params, startSystem, type System } from '../support/system.ts';

const run = promisify(execFile);
const FOLDER = path.resolve(import.meta.dirname, '../../deploy/monitoring');
const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-prometheus-'));
let system: System;
let prometheus: undefined | { url: string; end: () => Promise<void> };
let ports: { api: number; worker: number; sdk: number };

beforeAll(async () => {
  ports = { api: await freePort(), worker: await freePort(), sdk: await freePort() };
  system = await startSystem({ params: [params('bad', 'sync', '--exit 1')] });
  await Promise.all([
    system.startApi({ METRICS_PORT: String(ports.api) }),
    system.startWorker('src/worker.ts', {
      METRICS_PORT: String(ports.worker),
      TEMPORAL_METRICS_PORT: String(ports.sdk),
    }),
  ]);
  prometheus = await startPrometheus(Object.values(ports));
});
afterAll(async () => {
  await prometheus?.end();
  await system[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

/** Debian's own, `apt-get install prometheus`; scrapes and evaluates every second. */
async function startPrometheus(targets: readonly number[]) {
  const port = await freePort();
  const config = path.join(dir, 'prometheus.yaml');
  writeFileSync(
    config,
    `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ['${FOLDER}/alerts.yaml']
scrape_configs:
  - job_name: syncrator
    static_configs: [{ targets: [${targets.map((target) => `'127.0.0.1:${target}'`).join(', ')}] }]
`,
  );
  const child = spawn(
    'prometheus',
    [`--config.file=${config}`, `--storage.tsdb.path=${dir}/data`, `--web.listen-address=127.0.0.1:${port}`],
    { stdio: 'ignore' },
  );
  await once(child, 'spawn').catch((cause: unknown) => {
    throw new Error('prometheus cannot be run: apt-get install prometheus', { cause });
  });
  const ended = once(child, 'close');
  const url = `http://127.0.0.1:${port}`;
  const isReady = async () => {
    if (!(await fetch(`${url}/-/ready`)).ok) throw new Error('prometheus is not ready');
  };
  await vi.waitFor(isReady, { timeout: 30_000 }).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  const end = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  return { url, end };
}

const ask = async (route: string) => {
  const answer = await fetch(`${prometheus?.url}${route}`, { signal: AbortSignal.timeout(10_000) });
  return (await answer.json()) as { status: string; error?: string; data: Record<string, unknown> };
};

async function alerts(name: string) {
  const { data } = await ask('/api/v1/alerts');
  const all = data['alerts'] as { state: string; labels: Record<string, string> }[];
  return all.filter(({ labels }) => labels['alertname'] === name);
}

/** Every expression of the dashboard. */
function expressions(): string[] {
  const dashboard = JSON.parse(readFileSync(path.join(FOLDER, 'dashboard.json'), 'utf8')) as {
    panels: { targets?: { expr: string }[] }[];
  };
  return dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
}

test('promtool accepts the rules, and each alert fires when it should', async () => {
  await run('promtool', ['check', 'rules', path.join(FOLDER, 'alerts.yaml')]);
  await run('promtool', ['test', 'rules', path.join(FOLDER, 'alerts.test.yaml')]);
  const rules = readFileSync(path.join(FOLDER, 'alerts.yaml'), 'utf8');
  const tests = readFileSync(path.join(FOLDER, 'alerts.test.yaml'), 'utf8');
  for (const [, alert] of rules.matchAll(/- alert: (\w+)/g)) expect(tests).toContain(`alertname: ${alert}`);
});

test('rules and dashboard use only metrics that api and worker serve', { timeout: 60_000 }, async () => {
  const told = new Set<string>();
  for (const port of Object.values(ports)) {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    for (const [, name] of text.matchAll(/^# TYPE (\S+)/gm)) told.add(name ?? '');
  }
  const rules = readFileSync(path.join(FOLDER, 'alerts.yaml'), 'utf8');
  const named = [rules, ...expressions()].flatMap((text) => text.match(/\b(syncrator|temporal)_\w+/g) ?? []);
  const unknown = named.filter((name) => !told.has(name.replace(/_(bucket|count|sum)$/, '')));
  expect(named.length).toBeGreaterThan(30);
  // Runner process calls no apiserver, but the histogram exists.
  expect([...new Set(unknown)]).toEqual([]);
});

test('our metrics follow Prometheus’ rules for names and units', async () => {
  for (const port of [ports.api, ports.worker]) {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    // The metrics of Node.js itself come from prom-client.
    const ours = text.split('\n').filter((line) => /^(# \w+ )?syncrator_/.test(line));
    expect(ours.length).toBeGreaterThan(5);
    const checking = run('promtool', ['check', 'metrics']);
    checking.child.stdin?.end(`${ours.join('\n')}\n`);
    expect((await checking).stderr).toBe('');
  }
});

test('Prometheus understands the query of every panel of the dashboard', async () => {
  for (const expr of expressions()) {
    const query = expr.replaceAll(/\$(namespace|env|target)/g, '.*');
    const { status, error } = await ask(`/api/v1/query?query=${encodeURIComponent(query)}`);
    expect([query, status, error]).toEqual([query, 'success', undefined]);
  }
});

test('three failures in a row raise an alert within seconds, and one success ends it', {
  timeout: 120_000,
}, async () => {
  const firing = async () =>
    (await alerts('SyncratorFailureStreak')).map(({ state, labels }) => [state, labels['target']]);
  for (let failures = 1; failures <= 3; failures++) {
    const job = await system.submit('bad', 'sync');
    await system.until(job.kind === 'created' ? job.job.id : 0, 'failed');
    if (failures === 2) expect(await firing()).toEqual([]);
  }
  await expect.poll(firing, { timeout: 30_000 }).toEqual([['firing', 'bad']]);
  const good = await system.call('POST', '/run', {
    target: 'bad',
    env: 'dev',
    action_name: 'sync',
    action: 'sync',
    is_tag: 'latest',
    options: '--mute',
  });
  await system.until(Number(good.body['job_id']), 'completed');
  await expect.poll(firing, { timeout: 30_000 }).toEqual([]);
});

test('a missing worker raises an alert, although its metrics have ended with it', {
  timeout: 60_000,
}, async () => {
  const seen = async () => (await alerts('SyncratorWorkersAbsent')).map(({ state }) => state);
  expect(await seen()).toEqual([]);
  await system.endParts('src/worker.ts');
  // It fires after five minutes.
  await expect.poll(seen, { timeout: 30_000 }).toEqual(['pending']);
});
