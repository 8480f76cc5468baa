/** The fake pods: each annotation leads to the documented state, by which the real Job controller judges. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, startCluster } from '../../../tools/cluster/cluster.ts';
import { jobManifest, type Kubectl, kubectl, podManifest } from './kubectl.ts';

const POLL = { timeout: 15_000, interval: 100 };

let dir: string;
let cluster: Cluster;
let k: Kubectl;

beforeAll(async () => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'cluster-pods-'));
  cluster = await startCluster({ dir, audit: true });
  k = kubectl(cluster);
}, 15 * 60_000); // the first run on a machine builds the programs

afterAll(async () => {
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
});

const phase = async (pod: string) => (await k.pod(pod))?.status.phase;
const states = async (pod: string) =>
  (await k.pod(pod))?.status.containerStatuses?.map(
    ({ state }) => state.terminated ?? state.waiting ?? state.running,
  );

describe('jobs', () => {
  test('a Job whose pod succeeds is complete, one whose pod fails is failed', async () => {
    await Promise.all([
      k.apply(jobManifest('good', { 'finish-after': '1s' })),
      k.apply(jobManifest('bad', { 'finish-after': '1s', 'exit-code': '3' })),
    ]);
    await expect.poll(() => k.jobConditions('good'), POLL).toContain('Complete');
    await expect.poll(() => k.jobConditions('bad'), POLL).toContain('Failed');
    const terminated = { exitCode: 3, reason: 'Error' };
    expect(await states((await k.podOf('bad')) ?? '')).toMatchObject([terminated, terminated]);
  });

  test('a pod without annotations runs until a test sets its exit code', async () => {
    await k.apply(jobManifest('told'));
    await expect.poll(async () => phase((await k.podOf('told')) ?? '-'), POLL).toBe('Running');
    const pod = (await k.podOf('told')) ?? '';
    await k.run('annotate', 'pod', pod, 'kwok.syncrator/exit-code=7');
    await expect.poll(() => states(pod), POLL).toMatchObject([{ exitCode: 7 }, { exitCode: 7 }]);
    await expect.poll(() => k.jobConditions('told'), POLL).toContain('Failed');
  });

  test('a deleted Job takes its pod along, slowly if the pod is slow', async () => {
    await k.apply(jobManifest('slow', { 'delete-after': '3s' }));
    await expect.poll(async () => phase((await k.podOf('slow')) ?? '-'), POLL).toBe('Running');
    const pod = (await k.podOf('slow')) ?? '';
    await k.run('delete', 'job', 'slow', '--cascade=foreground', '--wait=false');
    const asked = Date.now();
    await expect.poll(async () => (await k.pod(pod))?.metadata.deletionTimestamp, POLL).toBeDefined();
    expect(await phase(pod)).toBe('Running');
    await expect.poll(() => k.pod(pod), POLL).toBeUndefined();
    expect(Date.now() - asked).toBeGreaterThan(2_500);
    await expect.poll(() => k.run('get', 'job', 'slow', '--ignore-not-found'), POLL).toBe('');
  });
});

describe('behaviours', () => {
  test.each([
    ['oom', 'Failed', { exitCode: 137, reason: 'OOMKilled' }],
    ['oom-exit-0', 'Succeeded', { exitCode: 0, reason: 'OOMKilled' }],
    ['image-pull', 'Pending', { reason: 'ImagePullBackOff' }],
    ['invalid-image', 'Pending', { reason: 'InvalidImageName' }],
    ['config-error', 'Pending', { reason: 'CreateContainerConfigError' }],
    ['container-creating', 'Pending', { reason: 'ContainerCreating' }],
    ['start-error', 'Failed', { exitCode: 128, reason: 'StartError' }],
    ['evicted', 'Failed', { exitCode: 137 }],
    ['preempted', 'Failed', { exitCode: 143 }],
    ['node-shutdown', 'Failed', { exitCode: 143 }],
  ])('%s', async (behaviour, expected, state) => {
    const name = `b-${behaviour}`;
    await k.apply(podManifest(name, { behaviour }));
    await expect.poll(() => states(name), POLL).toMatchObject([state, state]);
    expect(await phase(name)).toBe(expected);
  });

  test('disruptions carry their condition and reason', async () => {
    const disruption = async (name: string) => {
      const pod = await k.pod(`b-${name}`);
      const condition = pod?.status.conditions?.find(({ type }) => type === 'DisruptionTarget');
      return [pod?.status.reason, condition?.reason];
    };
    expect(await disruption('evicted')).toEqual(['Evicted', 'TerminationByKubelet']);
    expect(await disruption('preempted')).toEqual([undefined, 'PreemptionByScheduler']);
    expect(await disruption('node-shutdown')).toEqual(['Terminated', 'TerminationByKubelet']);
  });

  test('a pod runs once its image can be pulled', async () => {
    await k.run('annotate', 'pod', 'b-image-pull', 'kwok.syncrator/behaviour-');
    await expect.poll(() => phase('b-image-pull'), POLL).toBe('Running');
  });

  test('start-after delays a pod, and a mistyped finish-after never ends it', async () => {
    await k.apply(podManifest('late', { 'start-after': '2s', 'finish-after': '0.1 s' }));
    const scheduled = Date.now();
    expect(await phase('late')).toBe('Pending');
    await expect.poll(() => phase('late'), POLL).toBe('Running');
    expect(Date.now() - scheduled).toBeGreaterThan(1_000);
  });
});

describe('deletion', () => {
  test('a deleted pod ends at once; one on a lost node only by force', async () => {
    await Promise.all([
      k.apply(podManifest('quick')),
      k.apply(podManifest('lost', { 'never-deleted': 'true' })),
    ]);
    await expect
      .poll(() => Promise.all([phase('quick'), phase('lost')]), POLL)
      .toEqual(['Running', 'Running']);
    await k.run('delete', 'pod', 'quick', 'lost', '--wait=false');
    await expect.poll(() => k.pod('quick'), { ...POLL, timeout: 5_000 }).toBeUndefined();
    expect(await phase('lost')).toBe('Running');
    await k.run('delete', 'pod', 'lost', '--force', '--grace-period=0', '--wait=false');
    await expect.poll(() => k.pod('lost'), POLL).toBeUndefined();
  });
});

describe('logs', () => {
  test('logs are empty, or contain the written lines with their times', async () => {
    await k.apply(podManifest('talks'));
    await expect.poll(() => phase('talks'), POLL).toBe('Running');
    expect(await k.run('logs', 'talks', '-c', 'main')).toBe('');
    cluster.writeLog({ name: 'talks' }, ['one', 'two  words']);
    cluster.writeLog({ name: 'talks', container: 'beside' }, 'from beside');
    expect(await k.run('logs', 'talks', '-c', 'main')).toBe('one\ntwo  words\n');
    expect(await k.run('logs', 'talks', '-c', 'beside')).toBe('from beside\n');
    expect(await k.run('logs', 'talks', '-c', 'main', '--tail=1')).toBe('two  words\n');
    const [line = ''] = (await k.run('logs', 'talks', '-c', 'main', '--timestamps')).split('\n');
    const time = line.split(' ')[0] ?? '';
    expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(30_000);
    const later = new Date(Date.now() + 60_000).toISOString();
    expect(await k.run('logs', 'talks', '-c', 'main', `--since-time=${later}`)).toBe('');
  });

  test('logs can be followed, until the pod ends', async () => {
    await k.apply(podManifest('followed'));
    await expect.poll(() => phase('followed'), POLL).toBe('Running');
    const follower = spawn(path.join(cluster.binDir, 'kubectl'), ['logs', '-f', 'followed', '-c', 'main'], {
      env: cluster.env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const all = text(follower.stdout);
    let seen = '';
    follower.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    cluster.writeLog({ name: 'followed' }, 'first');
    await expect.poll(() => seen, POLL).toBe('first\n');
    cluster.writeLog({ name: 'followed' }, 'second');
    await expect.poll(() => seen, POLL).toBe('first\nsecond\n');
    cluster.writeLog({ name: 'followed' }, 'last');
    await k.run('annotate', 'pod', 'followed', 'kwok.syncrator/exit-code=0');
    expect(await all).toBe('first\nsecond\nlast\n');
  });
});

test('every request is in the audit log, under the name of its user', async () => {
  const events = readFileSync(cluster.auditLog ?? '', 'utf8')
    .trim()
    .split('\n')
    .map(
      (line) =>
        JSON.parse(line) as { verb: string; user: { username: string }; objectRef?: { resource: string } },
    );
  const creates = events.filter(({ verb, objectRef }) => verb === 'create' && objectRef?.resource === 'jobs');
  expect(new Set(creates.map(({ user }) => user.username))).toEqual(new Set(['admin']));
  expect(creates).toHaveLength(4);
});
