/** What a cluster may have against a step, as the runner alone shows it: refused, waiting and why, or ended and how. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import type { PodOverrides } from '../../src/domain/job.ts';
import { createClient } from '../../src/runner/kubernetes/client.ts';
import { createKubernetesRunner } from '../../src/runner/kubernetes/kubernetes-runner.ts';
import type { Observation, Runner } from '../../src/runner/runner.ts';
import { connectAsAdmin } from '../support/connect-kubernetes.ts';
import { createKubernetesGround, type KubernetesGround } from '../support/kubernetes.ts';
import { launched, stepLaunch } from '../support/step-launch.ts';

const installation = randomUUID();
let ground: KubernetesGround;
let runner: Runner;

beforeAll(async () => {
  ground = await createKubernetesGround(inject('cluster'), { actor: false });
  runner = ground.runner(installation);
});
afterAll(() => ground.dispose());

const step = (pod: Record<string, string> = {}, overrides: PodOverrides = {}) =>
  stepLaunch({ installation, pod, overrides });

/** Waits until it is shown as expected. */
async function shows(of: { name: string; uid: string }, expected: object, by = runner): Promise<Observation> {
  await expect.poll(() => by.observe(of), { timeout: 25_000 }).toMatchObject(expected);
  return await by.observe(of);
}

/** A namespace of this test's own, since what it does there concerns every pod. */
async function ownGround(): Promise<{ ground: KubernetesGround; runner: Runner }> {
  const own = await createKubernetesGround(inject('cluster'), { actor: false });
  onTestFinished(() => own.dispose());
  return { ground: own, runner: own.runner(installation) };
}

function limitRange(limit: object): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-limits-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'limits.json');
  const object = { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'limits' } };
  writeFileSync(file, JSON.stringify({ ...object, spec: { limits: [{ type: 'Container', ...limit }] } }));
  return file;
}

describe('refused, with the words of the cluster', () => {
  test('a manifest that is not valid', async () => {
    expect(await runner.launch(step({}, { labels: { 'a b': 'x' } }))).toMatchObject({
      kind: 'refused',
      diagnosis: {
        code: 'manifest_rejected',
        detail: expect.stringContaining('spec.template.labels'),
        what_to_do: expect.stringContaining('POD_OVERRIDES'),
      },
    });
  });

  test('a manifest with a field that Kubernetes does not know', async () => {
    const unknown = { tolerations: [{ operator: 'Exists' as const, until: 'noon' }] };
    expect(await runner.launch(step({}, unknown))).toMatchObject({
      kind: 'refused',
      diagnosis: { code: 'manifest_rejected', detail: expect.stringContaining('unknown field') },
    });
  });

  test('a namespace that is not there', async () => {
    const connection = connectAsAdmin(inject('cluster'), 'not-there');
    const ended = new AbortController();
    onTestFinished(async () => {
      ended.abort();
      await connection.close();
    });
    const elsewhere = createKubernetesRunner({
      client: createClient(connection),
      installation,
      podOverrides: {},
      onTrouble: () => undefined,
      signal: ended.signal,
    });
    expect(await elsewhere.launch(step())).toMatchObject({
      kind: 'refused',
      diagnosis: { code: 'namespace_missing', detail: expect.stringContaining('"not-there" not found') },
    });
  });
});

describe('waiting, and for what', () => {
  test('a quota on Jobs: launching says so, and works once there is room', async () => {
    const own = await ownGround();
    await own.ground.kubectl('create', 'quota', 'jobs', '--hard=count/jobs.batch=0');
    // Until the quota controller has counted, the apiserver refuses for another reason.
    const of = step();
    await expect
      .poll(() => own.runner.launch(of).catch(String), { timeout: 20_000 })
      .toMatchObject({
        kind: 'waiting',
        reason: 'quota',
        detail: expect.stringContaining('exceeded quota: jobs'),
      });
    await own.ground.kubectl('patch', 'quota', 'jobs', '-p', '{"spec":{"hard":{"count/jobs.batch":"5"}}}');
    await expect
      .poll(() => own.runner.launch(of).catch(String), { timeout: 20_000 })
      .toMatchObject({ kind: 'launched' });
  });

  test('a quota on pods: shown with its message, and over once there is room', {
    timeout: 90_000,
  }, async () => {
    const own = await ownGround();
    await own.ground.kubectl('create', 'quota', 'pods', '--hard=pods=0');
    await expect
      .poll(() => own.ground.kubectl('get', 'quota', 'pods', '-o', 'jsonpath={.status.hard.pods}'))
      .toBe('0');
    const of = await launched(own.runner, step());
    const seen = await shows(of, { state: 'waiting', reason: 'quota' }, own.runner);
    expect(seen).toMatchObject({ detail: expect.stringContaining('exceeded quota: pods') });
    expect(seen).not.toHaveProperty('giveUp');
    await own.ground.kubectl('patch', 'quota', 'pods', '-p', '{"spec":{"hard":{"pods":"5"}}}');
    await expect.poll(async () => (await own.runner.observe(of)).state, { timeout: 60_000 }).toBe('running');
  });

  test('a pod that the namespace does not admit', async () => {
    const own = await ownGround();
    await own.ground.kubectl('apply', '-f', limitRange({ max: { cpu: '100m' } }));
    const of = await launched(own.runner, step());
    await shows(
      of,
      {
        state: 'waiting',
        reason: 'admission',
        detail: expect.stringContaining('maximum cpu usage per Container is 100m'),
        giveUp: { afterSeconds: 10, diagnosis: { code: 'admission_denied' } },
      },
      own.runner,
    );
  });

  test('a service account that is not there', async () => {
    const of = await launched(runner, step({}, { serviceAccountName: 'nobody' }));
    await shows(of, {
      state: 'waiting',
      reason: 'admission',
      detail: expect.stringContaining('"nobody" not found'),
      giveUp: { diagnosis: { code: 'service_account_missing' } },
    });
  });

  test('a node that there is not', async () => {
    const of = await launched(runner, step({}, { nodeSelector: { disk: 'none' } }));
    await shows(of, {
      state: 'waiting',
      reason: 'unschedulable',
      detail: expect.stringMatching(/nodes are available/),
    });
  });

  test.each([
    ['image-pull', 'image_pull', { afterSeconds: 45, diagnosis: { code: 'image_pull' } }],
    ['invalid-image', 'image_pull', { afterSeconds: 0, diagnosis: { code: 'invalid_image' } }],
    ['config-error', 'config_error', undefined],
  ])('%s', async (behaviour, reason, giveUp) => {
    const of = await launched(runner, step({ behaviour }));
    await shows(of, { state: 'waiting', reason, ...(giveUp && { giveUp }) });
  });
});

describe('ended, and how', () => {
  test.each([
    [{ 'exit-code': '0' }, 'completed'],
    [{ 'exit-code': '3' }, 'delete_guard'],
    [{ behaviour: 'oom' }, 'oom'],
    [{ behaviour: 'oom-exit-0' }, 'oom'],
    [{ behaviour: 'start-error' }, 'start_error'],
    [{ behaviour: 'evicted', 'finish-after': '100ms' }, 'disrupted'],
    [{ behaviour: 'preempted', 'finish-after': '100ms' }, 'disrupted'],
    [{ behaviour: 'node-shutdown', 'finish-after': '100ms' }, 'disrupted'],
  ])('%j: %s', async (pod, code) => {
    const of = await launched(runner, step(pod));
    const seen = await shows(of, { state: 'ended' });
    const outcome = seen.state === 'ended' ? runner.diagnose(seen.end, undefined) : undefined;
    expect(outcome).toMatchObject(
      code === 'completed' ? { kind: 'completed' } : { kind: 'failed', diagnosis: { code } },
    );
    await runner.forget(of);
    await expect.poll(() => runner.observe(of)).toEqual({ state: 'absent' });
  });

  test('a pod that somebody deletes', async () => {
    const of = await launched(runner, step());
    await shows(of, { state: 'running' });
    await ground.kubectl('delete', 'pod', '-l', `batch.kubernetes.io/job-name=${of.name}`);
    const seen = await shows(of, { state: 'ended' });
    expect(seen).toMatchObject({
      end: {
        kind: 'diagnosed',
        diagnosis: { code: 'disrupted', summary: expect.stringContaining('deleted') },
      },
    });
    const pods = await ground.client.listPods(`batch.kubernetes.io/job-name=${of.name}`);
    expect(pods.items.length).toBeLessThanOrEqual(1); // no second one
  });

  test('a Job that somebody deletes', async () => {
    const of = await launched(runner, step());
    await shows(of, { state: 'running' });
    await ground.kubectl('delete', 'job', of.name);
    await shows(of, { state: 'absent' });
  });
});

test('a change is told at once, and the wait for one ends with its signal', async () => {
  const of = await launched(runner, step());
  await shows(of, { state: 'running' });
  const told = runner.changed(of.name, AbortSignal.timeout(20_000)).then(() => Date.now());
  await runner.remove({ ...of, force: false });
  expect((await told) - Date.now()).toBeLessThan(2_000);
  await runner.changed('no-such-job', AbortSignal.timeout(50));
});

test('a namespace that enforces `restricted` takes our pods as they are, and would refuse others', async () => {
  const own = await ownGround();
  const label = 'pod-security.kubernetes.io/enforce=restricted';
  await own.ground.kubectl('label', 'namespace', own.ground.namespace, label);
  await expect(own.ground.kubectl('run', 'other', '--image=registry.example/other:1')).rejects.toThrow(
    'violates PodSecurity',
  );
  for (const overrides of [{}, { runAsUser: 1000, readOnlyRootFilesystem: false }])
    await shows(await launched(own.runner, step({}, overrides)), { state: 'running' }, own.runner);
});
