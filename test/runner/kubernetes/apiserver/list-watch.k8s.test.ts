/** The shared watch: after any break it lists again and shows the true state; no call hangs for long. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import type { KubernetesClient } from '../../../../src/runner/kubernetes/apiserver/client.ts';
import { createClient } from '../../../../src/runner/kubernetes/apiserver/client.ts';
import { startJobCache } from '../../../../src/runner/kubernetes/apiserver/job-cache.ts';
import { selectorOf } from '../../../../src/runner/kubernetes/labels.ts';
import { type ListWatch, startListWatch } from '../../../../src/runner/kubernetes/apiserver/list-watch.ts';
import type { Job } from '../../../../src/runner/kubernetes/apiserver/types.ts';
import { renderJob } from '../../../../src/runner/kubernetes/render.ts';
import { startCutProxy } from '../../../support/cut-proxy.ts';
import { connectAsAdmin } from '../../../support/connect-kubernetes.ts';
import { createKubernetesGround, type KubernetesGround } from '../../../support/kubernetes.ts';
import { type OwnCluster, startOwnCluster } from '../../../support/own-cluster.ts';
import { stepLaunch } from '../../../support/step-launch.ts';

/** A Job of this installation by its name. */
async function createJob(client: KubernetesClient, installation: string): Promise<string> {
  const step = stepLaunch({ installation });
  return (await client.createJob(renderJob({ ...step, jobId: 7, podOverrides: {} }))).metadata.name;
}

function startWatching(client: KubernetesClient, installation: string) {
  const ended = new AbortController();
  onTestFinished(() => ended.abort());
  const selector = selectorOf(installation);
  const seen = { lists: 0, changes: [] as string[], trouble: [] as unknown[] };
  const of: ListWatch<Job> = startListWatch<Job>({
    client,
    resource: 'jobs',
    selector,
    list: () => {
      seen.lists += 1;
      return client.listJobs(selector);
    },
    trim: (job) => job,
    onChange: ({ metadata }) => seen.changes.push(metadata.name),
    onTrouble: (error) => seen.trouble.push(error),
    signal: ended.signal,
  });
  const names = () => [...of.objects.values()].map(({ metadata }) => metadata.name).toSorted();
  return { of, seen, names };
}

async function first(of: AsyncIterable<unknown>): Promise<unknown> {
  for await (const one of of) return one;
  return undefined;
}

describe('on a healthy cluster', () => {
  let ground: KubernetesGround;
  beforeAll(async () => {
    ground = await createKubernetesGround(inject('cluster'), { actor: false });
  });
  afterAll(() => ground.dispose());

  test('a watch that is cut or ends continues, and reports the changes in between', async () => {
    const installation = randomUUID();
    await using proxy = await startCutProxy(inject('cluster'), ground.namespace);
    const { of, seen, names } = startWatching(proxy.client, installation);
    const made: string[] = [];
    const make = async () => made.push(await createJob(ground.client, installation));
    await make();
    await expect.poll(names).toEqual(made);

    await expect.poll(() => proxy.endAll()).toBeGreaterThan(0);
    await make();
    await expect.poll(names).toEqual(made.toSorted());
    expect(seen).toMatchObject({ lists: 1, trouble: [] }); // a regular end is no trouble

    proxy.refuse();
    await expect.poll(() => of.healthy()).toBe(false);
    await make();
    const gone = made.shift() ?? '';
    await ground.kubectl('delete', 'job', gone);
    seen.changes.length = 0;
    expect(names()).toContain(gone); // the state when it was last complete
    proxy.open();
    await expect.poll(names, { timeout: 15_000 }).toEqual(made.toSorted());
    expect(of.healthy()).toBe(true);
    expect(seen.changes).toEqual(expect.arrayContaining([gone, made.at(-1)]));
    expect(seen.trouble).toHaveLength(1);
    await make();
    await expect.poll(names).toEqual(made.toSorted());
  });

  test('an object read elsewhere replaces an older version, never a newer one', async () => {
    const installation = randomUUID();
    const name = await createJob(ground.client, installation);
    const { of } = startWatching(ground.client, installation);
    await expect.poll(() => [...of.objects.values()][0]?.status?.active, { timeout: 15_000 }).toBe(1);
    const [newest] = of.objects.values();
    const older = { ...newest, metadata: { ...newest?.metadata, resourceVersion: '1' } } as Job;
    of.put(older);
    expect([...of.objects.values()]).toEqual([newest]);
    await ground.kubectl('annotate', 'job', name, 'a=b');
    const newer = (await ground.client.readJob(name)) as Job;
    of.put(newer);
    expect([...of.objects.values()][0]?.metadata.annotations).toHaveProperty('a', 'b');
  });

  test('the cache holds each Job with its own pods, and drops deleted ones', async () => {
    const installation = randomUUID();
    const ended = new AbortController();
    onTestFinished(() => ended.abort());
    const cache = startJobCache({
      client: ground.client,
      selector: selectorOf(installation),
      onTrouble: () => undefined,
      signal: ended.signal,
    });
    const names = [
      await createJob(ground.client, installation),
      await createJob(ground.client, installation),
    ];
    const podsOf = (name: string) => cache.pods(cache.job(name)?.metadata.uid ?? '');
    await expect
      .poll(() => names.map((name) => podsOf(name).map(({ status }) => status?.phase)), { timeout: 15_000 })
      .toEqual([['Running'], ['Running']]);
    for (const name of names)
      expect(podsOf(name)[0]?.metadata.labels).toHaveProperty(['batch.kubernetes.io/job-name'], name);
    await ground.kubectl('delete', 'job', names[0] ?? '');
    await expect.poll(() => [...cache.jobs()].map(({ metadata }) => metadata.name)).toEqual([names[1]]);
    await expect.poll(() => podsOf(names[0] ?? '')).toEqual([]);
    expect(cache.job(names[0] ?? '')).toBeUndefined();
    // No template is kept, since it contains the report token.
    expect(JSON.stringify([...cache.jobs()])).not.toContain('template');
  });
});

describe('on a cluster in trouble', () => {
  let cluster: OwnCluster;
  let ground: KubernetesGround;
  beforeAll(async () => {
    cluster = await startOwnCluster();
    ground = await createKubernetesGround(cluster, { actor: false });
  });
  afterAll(async () => {
    await cluster.parts.apiserver.start();
    await ground.dispose();
    await cluster[Symbol.asyncDispose]();
  });

  test('the list-watch recovers each time the apiserver is killed', { timeout: 120_000 }, async () => {
    const installation = randomUUID();
    const { of, seen, names } = startWatching(ground.client, installation);
    const made: string[] = [];
    for (let round = 1; round <= 3; round++) {
      made.push(await createJob(ground.client, installation));
      await expect.poll(names, { timeout: 30_000 }).toEqual(made.toSorted());
      await cluster.parts.apiserver.kill();
      await expect.poll(() => of.healthy(), { timeout: 15_000 }).toBe(false);
      expect(names()).toEqual(made.toSorted());
      await cluster.parts.apiserver.start();
      await expect.poll(() => of.healthy(), { timeout: 30_000 }).toBe(true);
      expect(seen.trouble).toHaveLength(round); // reported once each time
    }
  });

  test('a resource version that is too old causes a new list at once, without trouble reported', async () => {
    // Its event cache starts anew, so that it no longer knows the first versions.
    await cluster.parts.apiserver.restart();
    const installation = randomUUID();
    let old = 2;
    const answers: unknown[] = [];
    /** The real client; it first asks for versions that the apiserver has long dropped. */
    const client: KubernetesClient = {
      ...ground.client,
      async *watch(resource, selector, from, signal) {
        try {
          yield* ground.client.watch(resource, selector, old-- > 0 ? '1' : from, signal);
        } catch (error) {
          answers.push(error);
          throw error;
        }
      },
    };
    const first = await createJob(client, installation);
    const { of, seen, names } = startWatching(client, installation);
    await expect.poll(() => seen.lists).toBe(3);
    expect(answers).toMatchObject([{ status: 410 }, { status: 410 }]);
    expect(seen.trouble).toEqual([]);
    await expect.poll(() => of.healthy()).toBe(true);
    const second = await createJob(client, installation);
    await expect.poll(names).toEqual([first, second].toSorted());
  });

  test('every call ends within 15 s when the apiserver hangs', { timeout: 120_000 }, async () => {
    const installation = randomUUID();
    const name = await createJob(ground.client, installation);
    const connection = connectAsAdmin(cluster, ground.namespace);
    const client = createClient(connection);
    onTestFinished(() => connection.close());
    const { metadata } = (await client.readJob(name)) as Job;
    cluster.parts.apiserver.pause();
    const selector = selectorOf(installation);
    const calls: Record<string, () => Promise<unknown>> = {
      readJob: () => client.readJob(name),
      listJobs: () => client.listJobs(selector),
      listPods: () => client.listPods(selector),
      listEvents: () => client.listEvents(metadata.uid),
      createJob: () => createJob(client, installation),
      deleteJob: () => client.deleteJob({ ...metadata, force: false }),
      mayI: () => client.mayI('get', { group: 'batch', name: 'jobs' }),
      watch: () => first(client.watch('jobs', selector, '1', new AbortController().signal)),
      streamLog: () => first(client.streamLog('pod', 'job', undefined, new AbortController().signal)),
    };
    const began = performance.now();
    const ends = await Promise.all(
      Object.entries(calls).map(async ([call, make]) => {
        const said = await make().then(String, (error: Error) => error.message);
        return { call, said, seconds: (performance.now() - began) / 1000 };
      }),
    );
    await cluster.parts.apiserver.resume();
    for (const { call, said, seconds } of ends) {
      expect(said, call).toContain('no answer');
      expect(seconds, call).toBeLessThan(15.5);
    }
    expect((await client.readJob(name))?.metadata.uid).toBe(metadata.uid);
  });
});
