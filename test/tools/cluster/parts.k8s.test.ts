/** Each part of the cluster dies and returns alone, the cluster heals, and nothing outlives its owner. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, type PartName, startCluster } from '../../../tools/cluster/cluster.ts';
import { jobManifest, type Kubectl, kubectl, podManifest } from './kubectl.ts';

const POLL = { timeout: 30_000, interval: 100 };
const PARTS: readonly PartName[] = ['etcd', 'apiserver', 'controller-manager', 'scheduler', 'kwok'];

let dir: string;
let cluster: Cluster;
let k: Kubectl;

beforeAll(async () => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'cluster-parts-'));
  cluster = await startCluster({
    dir: path.join(dir, 'a'),
    finishAfter: '0.2s',
    terminatedPodGcThreshold: 100,
    extraFlags: { scheduler: ['--v=1'] },
  });
  k = kubectl(cluster);
}, 15 * 60_000);

afterAll(async () => {
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
});

test.each(PARTS)('%s restarts by itself after a SIGKILL, and Jobs run', async (name) => {
  const part = cluster.parts[name];
  const others = PARTS.filter((other) => other !== name).map((other) => cluster.parts[other].pid);
  const before = part.pid;
  await part.kill();
  expect([part.state, part.pid]).toEqual(['stopped', undefined]);
  await part.start();
  expect(part.pid).not.toBe(before);
  expect(PARTS.filter((other) => other !== name).map((other) => cluster.parts[other].pid)).toEqual(others);
  await k.apply(jobManifest(`after-${name}`));
  await expect.poll(() => k.jobConditions(`after-${name}`), POLL).toContain('Complete');
});

test('a paused apiserver answers nothing, and everything once it is resumed', async () => {
  const { apiserver } = cluster.parts;
  apiserver.pause();
  expect(apiserver.state).toBe('paused');
  await expect(k.run('get', 'nodes', '--request-timeout=1s')).rejects.toThrow('timeout');
  await apiserver.resume();
  expect(await k.run('get', 'nodes')).toContain(cluster.node);
});

test('a followed log ends with its pod even when no other is left', async () => {
  await k.apply(podManifest('only', { 'finish-after': '2s' }));
  await expect.poll(async () => (await k.pod('only'))?.status.phase, POLL).toBe('Running');
  cluster.writeLog({ name: 'only' }, 'a line');
  expect(await k.run('logs', '-f', 'only', '-c', 'main')).toBe('a line\n');
  expect((await k.pod('only'))?.status.phase).toBe('Succeeded');
});

test('flags of a test reach their part', () => {
  const flags = (name: PartName) =>
    readFileSync(`/proc/${cluster.parts[name].pid}/cmdline`, 'utf8').split('\0');
  expect(flags('controller-manager')).toContain('--terminated-pod-gc-threshold=100');
  expect(flags('scheduler')).toContain('--v=1');
});

test('a folder has one owner', async () => {
  await expect(startCluster({ dir: path.join(dir, 'a') })).rejects.toThrow('in use');
});

test('nothing outlives an owner that is killed', async () => {
  const folder = path.join(dir, 'b');
  const owner = spawn(process.execPath, [path.join(import.meta.dirname, 'cluster-owner.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  owner.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await expect.poll(() => output, POLL).toContain('\n');
  const pids = JSON.parse(output) as number[];
  expect(pids.map(programOf)).toEqual([
    'etcd',
    'kube-apiserver',
    'kube-controller-manager',
    'kube-scheduler',
    'kwok',
  ]);
  process.kill(pids[1] ?? 0, 'SIGSTOP'); // not even a paused one
  owner.kill('SIGKILL');
  await expect.poll(() => pids.map(programOf), POLL).toEqual(pids.map(() => undefined));
  // The next owner can use the folder.
  await using next = await startCluster({ dir: folder });
  expect(await kubectl(next).run('get', 'nodes')).toContain(next.node);
});

/** The program that a process runs; undefined once the process is gone. */
function programOf(pid: number): string | undefined {
  try {
    const program = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] ?? '';
    return program === '' ? undefined : path.basename(program); // a zombie's command line is empty
  } catch {
    return undefined;
  }
}
