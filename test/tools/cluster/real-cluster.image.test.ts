/** A cluster with real pods changes things on this machine, and restores all of them, however it ends. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { freePort } from '../../../src/embedded/ports.ts';
import { clusterBinaries } from '../../../tools/cluster/binaries.ts';
import { startRealCluster } from '../../../tools/cluster/real-cluster.ts';
import { letPodsReach } from '../../../tools/cluster/real-node/reach.ts';
import { kubectlIn } from '../../../tools/cluster/worker-account.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-node-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** The things that it changes outside its folders. */
function machine() {
  const settings = ['vm/overcommit_memory', 'kernel/panic', 'kernel/panic_on_oops', 'net/ipv4/ip_forward'];
  const list = (folder: string) => (existsSync(folder) ? readdirSync(folder) : []);
  return {
    settings: settings.map((name) => [name, readFileSync(`/proc/sys/${name}`, 'utf8').trim()]),
    links: (JSON.parse(execFileSync('ip', ['-json', 'link'], { encoding: 'utf8' })) as { ifname: string }[])
      .map(({ ifname }) => ifname)
      .filter((name) => /^(syncrator|veth)/.test(name)),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(dir) || line.includes('/run/syncrator-cluster')),
    cgroups: globSync('/sys/fs/cgroup/{kubepods,*/kubepods}'),
    shims: shims(),
    kubelet: list('/var/lib/kubelet'),
    logs: list('/var/log/containers'),
    run: list('/run/syncrator-cluster'),
  };
}

function shims(): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return lines
    .filter((line) => line.includes('/run/syncrator-cluster/containerd.sock') && line.includes('shim'))
    .map((line) => Number(line.trim().split(' ')[0]));
}

test('the next cluster cleans up after a killed owner, and leaves nothing itself', {
  timeout: 240_000,
}, async () => {
  const before = machine();
  const kubectl = path.join(await clusterBinaries(), 'kubectl');
  const owner = spawn(
    process.execPath,
    [path.join(import.meta.dirname, 'real-cluster-owner.ts'), dir, inject('image').archive],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(owner.stdout, 'data', { signal: AbortSignal.timeout(120_000) });
  const k = kubectlIn({ kubeconfig: path.join(dir, 'kubeconfig'), kubectl }, 'syncrator');
  await k(
    'run',
    'sleeper',
    `--image=${inject('image').name}`,
    '--restart=Never',
    '--command',
    '--',
    'sleep',
    '600',
  );
  await k('wait', 'pod/sleeper', '--for=condition=Ready', '--timeout=30s');
  const left = shims();
  expect(left).toHaveLength(1);
  await expect(startRealCluster({ dir: path.join(dir, 'b') })).rejects.toThrow(`pid ${owner.pid}`);

  const ended = once(owner, 'exit');
  owner.kill('SIGKILL');
  await ended;
  expect(shims()).toEqual(left);

  const next = await startRealCluster({ dir });
  try {
    expect(shims()).toEqual([]);
    // The next cluster continues with the objects of the old one, and learns that this container is gone.
    await expect
      .poll(() => k('get', 'pod', 'sleeper', '-o', 'jsonpath={.status.phase}'), { timeout: 60_000 })
      .toBe('Failed');
    const port = await freePort();
    await using reach = await letPodsReach(port);
    await expect(letPodsReach(port)).rejects.toThrow('another server listens');
    expect(reach).toBeDefined();
  } finally {
    await next.stop();
  }
  expect(machine()).toEqual({ ...before, run: [] });
});
