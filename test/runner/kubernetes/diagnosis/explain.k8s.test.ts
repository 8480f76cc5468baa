/**
 * Diagnoses of steps on a real control plane, by the runner alone: refused launches, waits and ends. Tests run at
 * once.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test, type TestContext, vi } from 'vitest';
import type { PodOverrides } from '../../../../src/domain/job.ts';
import { createClient } from '../../../../src/runner/kubernetes/apiserver/client.ts';
import { createKubernetesRunner } from '../../../../src/runner/kubernetes/runner.ts';
import type { Observation, Runner } from '../../../../src/runner/runner.ts';
import { connectAsAdmin } from '../../../support/connect-kubernetes.ts';
import { createKubernetesGround, type KubernetesGround } from '../../../support/kubernetes.ts';
import { launched, stepLaunch } from '../../../support/step-launch.ts';

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

/** Waits until the step is shown as expected. */
async function shows(of: { name: string; uid: string }, expected: object, by = runner): Promise<Observation> {
  await vi.waitFor(async () => expect(await by.observe(of)).toMatchObject(expected), { timeout: 25_000 });
  return await by.observe(of);
}

/** Waits until a launch has the expected result; the quota controller counts with a delay. */
async function launches(by: Runner, of: ReturnType<typeof step>, expected: object): Promise<void> {
  await vi.waitFor(async () => expect(await by.launch(of).catch(String)).toMatchObject(expected), {
    timeout: 20_000,
  });
}

/** The test's own namespace, since its acts affect every pod in it. */
async function ownGround({
  onTestFinished,
}: TestContext): Promise<{ ground: KubernetesGround; runner: Runner }> {
  const own = await createKubernetesGround(inject('cluster'), { actor: false });
  onTestFinished(() => own.dispose());
  return { ground: own, runner: own.runner(installation) };
}

function limitRange({ onTestFinished }: TestContext, limit: object): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-limits-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'limits.json');
  const object = { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'limits' } };
  writeFileSync(file, JSON.stringify({ ...object, spec: { limits: [{ type: 'Container', ...limit }] } }));
  return file;
}

describe.concurrent('a refused launch shows the words of the cluster', () => {
  test('an invalid manifest is refused with the invalid field', async () => {
    expect(await runner.launch(step({}, { labels: { 'a b': 'x' } }))).toMatchObject({
      kind: 'refused',
      diagnosis: {
        code: 'manifest_rejected',
        detail: expect.stringContaining('spec.template.labels'),
        what_to_do: expect.stringContaining('POD_OVERRIDES'),
      },
    });
  });

  test('a manifest with a field that Kubernetes does not know is refused', async () => {
    const unknown = { tolerations: [{ operator: 'Exists' as const, until: 'noon' }] };
    expect(await runner.launch(step({}, unknown))).toMatchObject({
      kind: 'refused',
      diagnosis: { code: 'manifest_rejected', detail: expect.stringContaining('unknown field') },
    });
  });

  test('a launch in a missing namespace is refused', async ({ onTestFinished }) => {
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

describe.concurrent('a waiting step shows its reason', () => {
  test('a quota on Jobs delays the launch until there is room', async (context) => {
    const own = await ownGround(context);
    await own.ground.kubectl('create', 'quota', 'jobs', '--hard=count/jobs.batch=0');
    // Until the quota controller has counted, the apiserver refuses for another reason.
    const of = step();
    await launches(own.runner, of, {
      kind: 'waiting',
      reason: 'quota',
      detail: expect.stringContaining('exceeded quota: jobs'),
    });
    await own.ground.kubectl('patch', 'quota', 'jobs', '-p', '{"spec":{"hard":{"count/jobs.batch":"5"}}}');
    await launches(own.runner, of, { kind: 'launched' });
  });

  test('a quota on pods is shown with its message until there is room', {
    timeout: 90_000,
  }, async (context) => {
    const own = await ownGround(context);
    await own.ground.kubectl('create', 'quota', 'pods', '--hard=pods=0');
    const hard = () => own.ground.kubectl('get', 'quota', 'pods', '-o', 'jsonpath={.status.hard.pods}');
    await vi.waitFor(async () => expect(await hard()).toBe('0'), { timeout: 10_000 });
    const of = await launched(own.runner, step());
    const seen = await shows(of, { state: 'waiting', reason: 'quota' }, own.runner);
    expect(seen).toMatchObject({ detail: expect.stringContaining('exceeded quota: pods') });
    expect(seen).not.toHaveProperty('giveUp');
    await own.ground.kubectl('patch', 'quota', 'pods', '-p', '{"spec":{"hard":{"pods":"5"}}}');
    const state = async () => (await own.runner.observe(of)).state;
    await vi.waitFor(async () => expect(await state()).toBe('running'), { timeout: 60_000 });
  });

  test('a pod beyond the limit range of its namespace is diagnosed as denied after 10 s', async (context) => {
    const own = await ownGround(context);
    await own.ground.kubectl('apply', '-f', limitRange(context, { max: { cpu: '100m' } }));
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

  test('a missing service account is named as the reason', async () => {
    const of = await launched(runner, step({}, { serviceAccountName: 'nobody' }));
    await shows(of, {
      state: 'waiting',
      reason: 'admission',
      detail: expect.stringContaining('"nobody" not found'),
      giveUp: { diagnosis: { code: 'service_account_missing' } },
    });
  });

  test('a step whose node selector fits no node is unschedulable', async () => {
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
  ])('a container with %s waits as %s', async (behaviour, reason, giveUp) => {
    const of = await launched(runner, step({ behaviour }));
    await shows(of, { state: 'waiting', reason, ...(giveUp && { giveUp }) });
  });
});

describe.concurrent('an ended step shows its end', () => {
  test.each([
    [{ 'exit-code': '0' }, 'completed'],
    [{ 'exit-code': '3' }, 'delete_guard'],
    [{ behaviour: 'oom' }, 'oom'],
    [{ behaviour: 'oom-exit-0' }, 'oom'],
    [{ behaviour: 'start-error' }, 'start_error'],
    [{ behaviour: 'evicted', 'finish-after': '100ms' }, 'disrupted'],
    [{ behaviour: 'preempted', 'finish-after': '100ms' }, 'disrupted'],
    [{ behaviour: 'node-shutdown', 'finish-after': '100ms' }, 'disrupted'],
  ])('a pod with %j ends as %s', async (pod, code) => {
    const of = await launched(runner, step(pod));
    const seen = await shows(of, { state: 'ended' });
    const outcome = seen.state === 'ended' ? runner.diagnose(seen.end, undefined) : undefined;
    expect(outcome).toMatchObject(
      code === 'completed' ? { kind: 'completed' } : { kind: 'failed', diagnosis: { code } },
    );
    await runner.forget(of);
    await vi.waitFor(async () => expect(await runner.observe(of)).toEqual({ state: 'absent' }), {
      timeout: 20_000,
    });
  });

  test('a deleted pod ends its step as disrupted, and no second pod is made', async () => {
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
    expect(pods.items.length).toBeLessThanOrEqual(1); // no second pod
  });

  test('a deleted Job is absent', async () => {
    const of = await launched(runner, step());
    await shows(of, { state: 'running' });
    await ground.kubectl('delete', 'job', of.name);
    await shows(of, { state: 'absent' });
  });
});

test('a change is reported at once, and a wait for one ends with its signal', async () => {
  const of = await launched(runner, step());
  await shows(of, { state: 'running' });
  const late = AbortSignal.timeout(20_000);
  const told = runner.changed(of.name, late);
  await runner.remove({ ...of, force: false });
  await told;
  expect(late.aborted).toBe(false);
  await runner.changed('no-such-job', AbortSignal.timeout(50));
});

test('a namespace that enforces `restricted` accepts our pods as they are, and refuses others', async (context) => {
  const own = await ownGround(context);
  const label = 'pod-security.kubernetes.io/enforce=restricted';
  await own.ground.kubectl('label', 'namespace', own.ground.namespace, label);
  await expect(own.ground.kubectl('run', 'other', '--image=registry.example/other:1')).rejects.toThrow(
    'violates PodSecurity',
  );
  for (const overrides of [{}, { runAsUser: 1000, readOnlyRootFilesystem: false }])
    await shows(await launched(own.runner, step({}, overrides)), { state: 'running' }, own.runner);
});
