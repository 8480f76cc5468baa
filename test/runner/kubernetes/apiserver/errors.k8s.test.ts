/** An apiserver that refuses every other request, and a worker's token that is replaced and revoked: no run fails. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { cancel } from '../../../../src/engine/cancel.ts';
import { type CutProxy, startCutProxy } from '../../../support/cut-proxy.ts';
import { createKubernetesGround, type KubernetesGround } from '../../../support/kubernetes.ts';
import { countStatuses, numbered, submitted } from '../../../support/bulk-jobs.ts';
import { params, startSystem, type System } from '../../../support/system.ts';

const cluster = inject('cluster');
const QUICK = numbered('quick', 12);
const LONG = numbered('long', 6);
const TROUBLE_MS = 30_000;

let ground: KubernetesGround;
let proxy: CutProxy;
let system: System;
let kubeconfig: string;

type Kubeconfig = {
  clusters: { cluster: { server: string } }[];
  users: { user: { token?: string; tokenFile?: string } }[];
};

beforeAll(async () => {
  ground = await createKubernetesGround(cluster);
  proxy = await startCutProxy(cluster, ground.namespace);
  system = await startSystem({
    ground,
    params: [
      ...QUICK.map((target) => params(target, 'sync', '--seconds 1')),
      ...LONG.map((target) => params(target, 'sync', '--seconds 600 --mute')),
    ],
  });
  // The worker's account through the proxy, with its token in a file, as in a pod.
  const config = JSON.parse(readFileSync(ground.environment['KUBECONFIG'] ?? '', 'utf8')) as Kubeconfig;
  for (const { cluster: of } of config.clusters) of.server = `https://127.0.0.1:${proxy.port}`;
  for (const { user } of config.users) {
    delete user.token;
    user.tokenFile = tokenFile();
  }
  kubeconfig = path.join(system.dataDir, 'rotating.kubeconfig');
  await ground.kubectl('create', 'secret', 'generic', 'first');
  writeFileSync(tokenFile(), await newToken('first'), { mode: 0o600 });
  writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 });
  await system.startApi();
  await system.startWorker('src/worker.ts', { KUBECONFIG: kubeconfig });
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

const tokenFile = () => path.join(system.dataDir, 'token');

/** Valid as long as the Secret exists. */
async function newToken(secret: string): Promise<string> {
  const bound = ['--bound-object-kind=Secret', `--bound-object-name=${secret}`];
  return (await ground.kubectl('create', 'token', 'syncrator-worker', '--duration=1h', ...bound)).trim();
}

async function statusesOf(ids: readonly number[]) {
  return await countStatuses(system, ids);
}

test('all jobs end correctly while half of all requests fail for 30 s', {
  timeout: 150_000,
}, async () => {
  const long = await Promise.all(LONG.map((target) => submitted(system, target)));
  await expect.poll(() => statusesOf(long), { timeout: 60_000 }).toEqual({ running: LONG.length });
  proxy.trouble([429, 500, 502, 503, 504]);
  const quick = await Promise.all(QUICK.map((target) => submitted(system, target)));
  const [cancelled = 0, ...others] = long;
  await cancel(system, { id: cancelled, principal: 'test' });
  await wait(TROUBLE_MS); // the measured outage lasts this long
  const { troubled } = proxy;
  proxy.trouble([]);
  expect(troubled).toBeGreaterThan(50);
  await expect.poll(() => statusesOf(quick), { timeout: 30_000 }).toEqual({ completed: QUICK.length });
  await system.until(cancelled, 'deleted');
  expect(await statusesOf(others)).toEqual({ running: others.length });
  for (const target of QUICK) expect(await system.live(target), target).toEqual([]);
  for (const id of others) await cancel(system, { id, principal: 'test' });
  for (const id of others) await system.until(id, 'deleted');
});

test('runs continue and new ones start when the token is replaced and revoked', {
  timeout: 150_000,
}, async () => {
  const [target = '', next = ''] = LONG;
  const id = await submitted(system, target);
  await system.until(id, 'running');
  const old = readFileSync(tokenFile(), 'utf8');
  await ground.kubectl('create', 'secret', 'generic', 'second');
  writeFileSync(tokenFile(), await newToken('second'), { mode: 0o600 });
  await ground.kubectl('delete', 'secret', 'first');
  // The apiserver caches valid tokens for 10 s.
  const isRefused = () =>
    ground
      .kubectl(
        '--kubeconfig=/dev/null',
        `--server=${cluster.server}`,
        `--certificate-authority=${cluster.caFile}`,
        `--token=${old}`,
        'get',
        'jobs',
      )
      .then(
        () => '',
        (error: Error) => error.message,
      );
  await expect.poll(isRefused, { timeout: 60_000, interval: 1_000 }).toMatch(/Unauthorized|logged in/);
  const started = await submitted(system, next);
  await system.until(started, 'running');
  expect((await system.job(id)).status).toBe('running');
  for (const each of [id, started]) await cancel(system, { id: each, principal: 'test' });
  for (const each of [id, started]) await system.until(each, 'deleted');
});
