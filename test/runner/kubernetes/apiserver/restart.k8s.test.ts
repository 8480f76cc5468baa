/** The apiserver disappears under 50 live jobs: none fails, none is doubled, and all is right soon after. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKubernetesGround, type KubernetesGround } from '../../../support/kubernetes.ts';
import { type OwnCluster, startOwnCluster } from '../../../support/own-cluster.ts';
import { countStatuses, numbered, submitted } from '../../../support/bulk-jobs.ts';
import { podsMade } from '../../../support/pods-made.ts';
import { LAST_COUNTS } from '../../../support/programs/play.ts';
import { params, startSystem, type System } from '../../../support/system.ts';

/** Outlive both outages. */
const LONG = numbered('long', 25);
/** End in the first outage, and in the second. */
const SHORT = { killed: numbered('killed', 25), paused: numbered('paused', 25) };
const RIGHT_WITHIN_MS = 30_000;

let cluster: OwnCluster;
let ground: KubernetesGround;
let system: System;
let longIds: number[];

beforeAll(async () => {
  cluster = await startOwnCluster({ keepHistory: true });
  ground = await createKubernetesGround(cluster);
  system = await startSystem({
    ground,
    params: [
      ...LONG.map((target) => params(target, 'sync', '--seconds 900')),
      ...[...SHORT.killed, ...SHORT.paused].map((target) => params(target, 'sync', '--seconds 15')),
      params('late-killed', 'sync', '--seconds 1'),
      params('late-paused', 'sync', '--seconds 1'),
    ],
  });
  await system.startApi();
  await system.startWorker();
  longIds = await Promise.all(LONG.map(submit));
});
afterAll(async () => {
  await cluster.parts.etcd.start();
  await cluster.parts.apiserver.start();
  await system[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

const submit = (target: string) => submitted(system, target);
const statuses = (ids: readonly number[]) => countStatuses(system, ids);

/** Number of jobs whose work is done according to the api; reports bypass the apiserver. */
async function done(ids: readonly number[]): Promise<number> {
  const jobs = await Promise.all(ids.map((id) => system.call('GET', `/jobs/${id}`)));
  return jobs.filter(({ body }) => (body['progress'] as { phase?: string } | null)?.phase === 'done').length;
}

/** Kubernetes Jobs that are neither Complete nor Failed; all of them while the apiserver does not answer. */
async function unfinished(targets: readonly string[]): Promise<number> {
  const list = await ground.client.listJobs('app.kubernetes.io/managed-by=syncrator').catch(() => undefined);
  if (!list) return targets.length;
  return list.items.filter(
    ({ metadata, status }) =>
      targets.includes(metadata.labels?.['syncrator/target'] ?? '') &&
      !status?.conditions?.some(({ type, status: is }) => is === 'True' && /^(Complete|Failed)$/.test(type)),
  ).length;
}

/** The phase of a foreign Job's pod: it shows when controllers, scheduler and node all see new objects again. */
async function probe(which: string): Promise<string | undefined> {
  const { items } = await ground.client.listPods(`batch.kubernetes.io/job-name=probe-${which}`);
  return items[0]?.status?.phase;
}

/** Seconds since the worker last observed each of the long jobs, at most. */
async function secondsUnseen(): Promise<number> {
  const rows = await system.db.selectFrom('jobs').select('observed_at').where('id', 'in', longIds).execute();
  return Math.max(...rows.map(({ observed_at: at }) => (Date.now() - (at?.getTime() ?? 0)) / 1000));
}

async function goThrough(which: keyof typeof SHORT, outage: { begin(): unknown; end(): Promise<unknown> }) {
  const shortIds = await Promise.all(SHORT[which].map(submit));
  const all = [...shortIds, ...longIds];
  await expect.poll(() => statuses(all), { timeout: 60_000, interval: 100 }).toEqual({ running: 50 });
  await outage.begin();
  const began = Date.now();
  const late = await submit(`late-${which}`);
  // Reads continue meanwhile, and every short job ends its work.
  await expect.poll(() => done(shortIds), { timeout: 60_000, interval: 500 }).toBe(25);
  await expect.poll(() => Date.now() - began, { timeout: 15_000 }).toBeGreaterThan(10_000);
  expect(await statuses(all)).toEqual({ running: 50 });
  await outage.end();
  const ended = Date.now();
  // The clock starts once Kubernetes itself has caught up: its controllers pause longer and longer between retries.
  await ground.kubectl('create', 'job', `probe-${which}`, '--image=registry.example/probe:1');
  await expect.poll(() => probe(which), { timeout: 120_000, interval: 100 }).toBe('Running');
  await expect.poll(() => unfinished(SHORT[which]), { timeout: 90_000, interval: 100 }).toBe(0);
  const back = Date.now();

  await expect.poll(() => statuses(shortIds), { timeout: RIGHT_WITHIN_MS }).toEqual({ completed: 25 });
  await system
    .until(late, 'completed', RIGHT_WITHIN_MS - (Date.now() - back))
    .catch(async (error: unknown) => {
      console.log(
        JSON.stringify((await system.job(late)).steps),
        await ground.kubectl('get', 'jobs,pods,events'),
      );
      throw error;
    });
  await expect.poll(secondsUnseen, { timeout: RIGHT_WITHIN_MS - (Date.now() - back) }).toBeLessThan(10);
  const seconds = (from: number, to: number) => ((to - from) / 1000).toFixed(1);
  console.log(
    `${which}: Kubernetes recovered after ${seconds(ended, back)} s, we ${seconds(back, Date.now())} s later`,
  );
  expect(await statuses(longIds)).toEqual({ running: 25 });

  const made = await podsMade(cluster, ground.namespace);
  for (const id of [...all, late]) {
    const { steps } = await system.job(id);
    expect(steps).toHaveLength(1);
    expect(steps[0]?.attempt).toBe(1);
    expect(made.get(steps[0]?.name ?? ''), steps[0]?.name).toBe(1);
  }
  for (const id of shortIds)
    expect((await system.call('GET', `/jobs/${id}`)).body).toMatchObject({ progress: LAST_COUNTS });
}

test('50 live jobs survive an apiserver that is killed and started again', { timeout: 300_000 }, async () => {
  const { apiserver, scheduler } = cluster.parts;
  const end = async () => {
    await apiserver.start();
    await scheduler.restart(); // otherwise it looks again only a minute later
  };
  await goThrough('killed', { begin: () => apiserver.kill(), end });
});

test('50 live jobs survive an apiserver and an etcd that hang', { timeout: 300_000 }, async () => {
  const { apiserver, etcd } = cluster.parts;
  const begin = () => {
    apiserver.pause();
    etcd.pause();
  };
  await goThrough('paused', { begin, end: () => Promise.all([etcd.resume(), apiserver.resume()]) });
});

test('jobs that ran through both outages can be cancelled, and leave nothing', {
  timeout: 120_000,
}, async () => {
  for (const id of longIds) expect((await system.call('DELETE', `/jobs/${id}`)).status).toBe(202);
  await expect.poll(() => statuses(longIds), { timeout: 60_000 }).toEqual({ deleted: 25 });
  const left = async () => (await (await system.runner()).list()).map(({ name }) => name);
  await expect.poll(left, { timeout: 60_000 }).toEqual([]);
});
