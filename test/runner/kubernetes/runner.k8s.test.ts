/** The runner alone, without Temporal: one Job per attempt whatever is lost, and only its own objects are touched. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createKubernetesRunner } from '../../../src/runner/kubernetes/runner.ts';
import { selectorOf } from '../../../src/runner/kubernetes/labels.ts';
import type { Runner, StepLaunch } from '../../../src/runner/runner.ts';
import { type CutProxy, startCutProxy } from '../../support/cut-proxy.ts';
import { createKubernetesGround, type KubernetesGround } from '../../support/kubernetes.ts';
import { launched, stepLaunch } from '../../support/step-launch.ts';

const installation = randomUUID();
let ground: KubernetesGround;
let runner: Runner;

beforeAll(async () => {
  ground = await createKubernetesGround(inject('cluster'), { actor: false });
  runner = ground.runner(installation);
});
afterAll(() => ground.dispose());

const step = (of: Omit<Parameters<typeof stepLaunch>[0], 'installation'> = {}) =>
  stepLaunch({ installation, ...of });
const jobOf = (name: string) => ground.client.readJob(name);
const jobsOf = async ({ labels }: StepLaunch) =>
  (await ground.client.listJobs(selectorOf(labels.installation, { jobUid: labels.jobUid }))).items;
const state = async (of: { name: string; uid: string }) => (await runner.observe(of)).state;
const running = (of: { name: string; uid: string }) =>
  expect.poll(() => state(of), { timeout: 20_000 }).toBe('running');

describe('adopt or create', () => {
  test('an attempt launched many times at once creates one Job', async () => {
    const of = step();
    const uids = await Promise.all(Array.from({ length: 8 }, async () => (await launched(runner, of)).uid));
    const [job, ...others] = await jobsOf(of);
    expect(others).toEqual([]);
    expect(new Set(uids)).toEqual(new Set([job?.metadata.uid]));
    expect((await launched(runner, of)).uid).toBe(job?.metadata.uid);
  });

  test('a foreign Job of the same name is neither adopted nor changed', async () => {
    const of = step();
    await ground.kubectl('create', 'job', of.name, '--image=registry.example/other:1');
    const before = await jobOf(of.name);
    expect(await runner.launch(of)).toEqual({
      kind: 'name_conflict',
      owner: `a Job that is not Syncrator's (uid ${before?.metadata.uid})`,
    });
    expect((await jobOf(of.name))?.metadata).toMatchObject({ uid: before?.metadata.uid });
    expect((await jobOf(of.name))?.metadata).not.toHaveProperty('deletionTimestamp');
    expect(await jobsOf(of)).toEqual([]);
  });

  const others: Record<string, Partial<StepLaunch['labels']>> = {
    job: { jobUid: randomUUID(), jobId: 99 },
    installation: { installation: randomUUID() },
    step: { step: 1 },
    attempt: { attempt: 2 },
    'spec hash': { specHash: 'b'.repeat(64) },
  };
  test.each(Object.entries(others))('a Job of another %s is named, not adopted', async (_what, labels) => {
    const of = step();
    const owner = { ...of, labels: { ...of.labels, ...labels } };
    const { uid } = await launched(runner, owner);
    const { jobId, jobUid, step: index, attempt, installation: whose } = owner.labels;
    expect(await runner.launch(of)).toEqual({
      kind: 'name_conflict',
      owner: `job ${jobId} (${jobUid}) step ${index} attempt ${attempt} of installation ${whose}`,
    });
    const after = await jobOf(of.name);
    expect(after?.metadata.uid).toBe(uid);
    expect(after?.metadata).not.toHaveProperty('deletionTimestamp');
  });

  test('a Job that is being deleted delays the launch, which then creates it anew', async () => {
    const of = step();
    const first = await launched(runner, of);
    const finalizers = (list: string) => `{"metadata":{"finalizers":${list}}}`;
    await ground.kubectl('patch', 'job', of.name, '--type=merge', '-p', finalizers('["example.com/hold"]'));
    await runner.remove({ ...first, force: false });
    expect(await runner.launch(of)).toEqual({ kind: 'being_deleted' });
    await ground.kubectl('patch', 'job', of.name, '--type=merge', '-p', finalizers('null'));
    await expect.poll(() => jobOf(of.name), { timeout: 20_000 }).toBeUndefined();
    expect((await launched(runner, of)).uid).not.toBe(first.uid);
  });
});

describe('lost answers', () => {
  let proxy: CutProxy;
  let through: Runner;
  const ended = new AbortController();
  beforeAll(async () => {
    proxy = await startCutProxy(inject('cluster'), ground.namespace);
    const { client } = proxy;
    const common = { podOverrides: {}, onTrouble: () => undefined, signal: ended.signal };
    through = createKubernetesRunner({ client, installation, ...common });
  });
  afterAll(async () => {
    ended.abort();
    await proxy[Symbol.asyncDispose]();
  });

  test.each(['cut', 502] as const)(
    'a lost answer of a create (%s): the created Job is adopted',
    async (how) => {
      for (let round = 1; round <= 20; round++) {
        const of = step();
        const before = proxy.lost;
        proxy.loseNext('POST', how);
        const { uid } = await launched(through, of);
        expect(proxy.lost).toBe(before + 1);
        expect((await jobsOf(of)).map(({ metadata }) => metadata.uid)).toEqual([uid]);
      }
    },
  );

  test('a create whose answer is lost in an outage is adopted by the next launch', {
    timeout: 60_000,
  }, async () => {
    const of = step();
    proxy.loseNext('POST', 'cut and refuse');
    await expect(through.launch(of)).rejects.toThrow('no answer');
    expect(await jobsOf(of)).toHaveLength(1);
    proxy.open();
    const { uid } = await launched(through, of);
    expect((await jobsOf(of)).map(({ metadata }) => metadata.uid)).toEqual([uid]);
  });

  test('a removal whose answer is lost is repeated and succeeds', async () => {
    for (let round = 1; round <= 5; round++) {
      const of = await launched(through, step());
      const before = proxy.lost;
      proxy.loseNext('DELETE');
      await through.remove({ ...of, force: false });
      expect(proxy.lost).toBe(before + 1);
      await expect.poll(() => jobOf(of.name), { timeout: 20_000 }).toBeUndefined();
    }
  });
});

describe('removing', () => {
  test('a removed Job stays until its pod has ended', async () => {
    const of = step({ target: 'slow-end', pod: { 'delete-after': '3s' } });
    const made = await launched(runner, of);
    await running(made);
    await runner.remove({ ...made, force: false });
    await runner.remove({ ...made, force: false });
    const job = await ground.kubectl('get', 'job', of.name, '-o', 'jsonpath={.metadata.finalizers}');
    expect(job).toContain('foregroundDeletion');
    expect(await runner.list({ jobUid: of.labels.jobUid })).toMatchObject([{ live: true, removing: true }]);
    await expect.poll(() => jobOf(of.name), { timeout: 20_000 }).toBeUndefined();
    expect(await runner.list({ jobUid: of.labels.jobUid })).toEqual([]);
    await runner.remove({ ...made, force: false }); // gone means done
    expect(await runner.observe(made)).toEqual({ state: 'absent' });
  });

  test('a forced removal ends a pod on a lost node', async () => {
    const of = step({ pod: { 'never-deleted': 'true' } });
    const made = await launched(runner, of);
    await running(made);
    await runner.remove({ ...made, force: false });
    await expect.poll(() => runner.list({ jobUid: of.labels.jobUid })).toMatchObject([{ removing: true }]);
    await runner.remove({ ...made, force: true });
    await expect.poll(() => runner.list({ jobUid: of.labels.jobUid }), { timeout: 10_000 }).toEqual([]);
  });

  test('a removal with another uid changes nothing', async () => {
    const of = step();
    const made = await launched(runner, of);
    await running(made);
    const stale = { name: of.name, uid: randomUUID() };
    await runner.remove({ ...stale, force: false });
    await runner.remove({ ...stale, force: true });
    await runner.forget(stale);
    const job = await jobOf(of.name);
    expect(job?.metadata.uid).toBe(made.uid);
    expect(job?.metadata).not.toHaveProperty('deletionTimestamp');
    expect(await state(made)).toBe('running');
    expect(await runner.observe(stale)).toEqual({ state: 'absent' });
  });
});

describe('listing', () => {
  test('a list shows one key, one job or this installation, never objects of another installation', async () => {
    const [one, two] = [step({ target: 'listed-1' }), step({ target: 'listed-2' })];
    const foreign = stepLaunch({ installation: randomUUID(), target: 'listed-1' });
    for (const of of [one, two, foreign]) await launched(runner, of);
    const names = async (of?: Parameters<Runner['list']>[0]) =>
      (await runner.list(of)).map(({ name }) => name);
    expect(await names({ env: 'dev', target: 'listed-1' })).toEqual([one.name]);
    expect(await names({ env: 'qas', target: 'listed-1' })).toEqual([]);
    expect(await names({ jobUid: two.labels.jobUid })).toEqual([two.name]);
    expect(await names({ jobUid: foreign.labels.jobUid })).toEqual([]);
    const all = await names();
    expect(all).toEqual(expect.arrayContaining([one.name, two.name]));
    expect(all).not.toContain(foreign.name);
  });

  test('a pod whose Job is gone still counts as live, and force ends it', async () => {
    const of = step({ target: 'orphaned' });
    const made = await launched(runner, of);
    await running(made);
    await ground.kubectl('delete', 'job', of.name, '--cascade=orphan');
    expect(await jobOf(of.name)).toBeUndefined();
    const listed = await runner.list({ env: 'dev', target: 'orphaned' });
    expect(listed).toMatchObject([{ name: of.name, uid: made.uid, live: true, labels: of.labels }]);
    await runner.remove({ ...made, force: true });
    await expect.poll(() => runner.list({ env: 'dev', target: 'orphaned' })).toEqual([]);
  });
});
