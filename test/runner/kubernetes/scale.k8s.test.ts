/** Many jobs at once on a real control plane: one winner of a race, nothing lost or doubled by a kill, quick cancels. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { workflowId } from '../../../src/domain/names.ts';
import { freePort } from '../../../src/embedded/ports.ts';
import { selectorOf } from '../../../src/runner/kubernetes/labels.ts';
import type { Job } from '../../../src/runner/kubernetes/apiserver/types.ts';
import { readInstallation } from '../../../src/db/migrate.ts';
import { measureBusyness } from '../../faults/rig/busyness.ts';
import { createKubernetesGround, type KubernetesGround } from '../../support/kubernetes.ts';
import { countStatuses, numbered, submitted } from '../../support/bulk-jobs.ts';
import { podsMade } from '../../support/pods-made.ts';
import type { ProductPart } from '../../support/product-part.ts';
import { params, startSystem, type System } from '../../support/system.ts';

const KILLED = numbered('k', 20);
const MANY = numbered('t', 150);

let ground: KubernetesGround;
let system: System;
let worker: ProductPart;
let installation: string;

/** @param options.actor false: pods run on and report nothing */
async function setUp(files: readonly [string, string][], options: { actor: boolean }): Promise<void> {
  ground = await createKubernetesGround(inject('cluster'), options);
  system = await startSystem({ ground, params: [...files] });
  await system.startApi();
  worker = await system.startWorker();
  installation = await readInstallation(system.db);
}

const submit = (target: string) => submitted(system, target);
const statuses = (ids: readonly number[]) => countStatuses(system, ids);

async function jobsOf(targets: readonly string[]): Promise<Job[]> {
  const { items } = await ground.client.listJobs(selectorOf(installation));
  return items.filter(({ metadata }) => targets.includes(metadata.labels?.['syncrator/target'] ?? ''));
}

describe('races and kills', () => {
  beforeAll(() =>
    setUp(
      [
        params('raced', 'sync', '--seconds 600 --mute'),
        params('raced', 'delta', '--seconds 600 --mute'),
        ...KILLED.map((target) => params(target, 'sync', '--seconds 6')),
      ],
      { actor: true },
    ),
  );
  afterAll(() => system[Symbol.asyncDispose]());

  test('of 50 simultaneous starts of one key over two apis one runs, and all answers name it', async () => {
    const port = await freePort();
    await system.startApi({ PORT: String(port) });
    await system.call('GET', '/jobs'); // logs in
    const token = await login(system.apiUrl);
    type Answer = {
      status: number;
      location: string | null;
      body: { job_id?: number; deduplicated?: boolean; holder?: { id: number } };
    };
    const start = async (index: number): Promise<Answer> => {
      const api = index % 2 === 0 ? system.apiUrl : `http://127.0.0.1:${port}`;
      const answer = await fetch(`${api}/${index % 5 < 3 ? 'sync' : 'delta'}/raced/dev`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(20_000),
      });
      const body = (await answer.json()) as Answer['body'];
      // A busy Postgres or Temporal: callers are told to try again.
      if (answer.status === 503) return await start(index);
      return { status: answer.status, location: answer.headers.get('location'), body };
    };
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => start(index)));
    const winners = answers.filter(({ status }) => status === 202);
    expect(winners).toHaveLength(1);
    const id = winners[0]?.body.job_id ?? 0;
    const told = answers.map(({ status, location, body }) => {
      expect(location).toBe(`/jobs/${id}`);
      if (status === 202) return body.deduplicated === false ? body.job_id : 'not said';
      if (status === 200) return body.deduplicated === true ? body.job_id : 'not said';
      return status === 409 ? body.holder?.id : status;
    });
    expect(new Set(told)).toEqual(new Set([id]));
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(15);
    expect(answers.filter(({ status }) => status === 409).length).toBeGreaterThan(15);

    await system.until(id, 'running');
    const query = `WorkflowId = '${workflowId({ env: 'dev', target: 'raced' })}'`;
    await expect.poll(async () => (await system.temporal.client.workflow.count(query)).count).toBe(1);
    expect(await jobsOf(['raced'])).toHaveLength(1);
    expect(await system.db.selectFrom('jobs').select('id').where('target', '=', 'raced').execute()).toEqual([
      { id },
    ]);
  });

  test('no job is lost, doubled or orphaned when a worker with 20 running jobs is killed', {
    timeout: 180_000,
  }, async () => {
    const ids = await Promise.all(KILLED.map(submit));
    await expect.poll(() => statuses(ids), { timeout: 60_000 }).toEqual({ running: 20 });
    await worker.kill();
    expect(await jobsOf(KILLED)).toHaveLength(20);
    worker = await system.startWorker();
    await expect.poll(() => statuses(ids), { timeout: 90_000 }).toEqual({ completed: 20 });
    const made = await podsMade(inject('cluster'), ground.namespace);
    for (const id of ids) {
      const { steps } = await system.job(id);
      expect(steps).toMatchObject([{ step: 0, attempt: 1, outcome: 'completed' }]);
      const name = steps[0]?.name ?? '';
      expect(made.get(name), name).toBe(1);
      expect(ground.actor.started.has(name), name).toBe(true);
    }
    await expect.poll(() => jobsOf(KILLED), { timeout: 60_000 }).toEqual([]);
  });
});

describe('many', () => {
  beforeAll(() =>
    setUp(
      MANY.map((target) => params(target, 'sync', '')),
      { actor: false },
    ),
  );
  afterAll(() => system[Symbol.asyncDispose]());

  test('with 150 live jobs a cancel reaches its pod in 2 s, and cancelling all leaves nothing', {
    timeout: 400_000,
  }, async () => {
    const ids: number[] = [];
    for (const target of MANY) ids.push(await submit(target));
    await expect.poll(() => statuses(ids), { timeout: 200_000, interval: 500 }).toEqual({ running: 150 });
    await system.call('GET', '/jobs'); // logs in
    using busyness = measureBusyness();
    // Five, one after the other: a single one may meet a moment when the machine is busy.
    const tookMs: number[] = [];
    for (const id of ids.slice(0, 5)) tookMs.push(await untilDeletionBegins(id));
    console.log(`deletion of 5 of 150 begun after ${tookMs.map(Math.round).join(', ')} ms`);
    expect(tookMs.toSorted((x, y) => x - y)[2]).toBeLessThan(2_000 * busyness.factor());
    for (const id of ids.slice(0, 5)) await system.until(id, 'deleted');
    expect(await statuses(ids)).toEqual({ deleted: 5, running: 145 });

    const others = ids.slice(5).values();
    const cancelRest = async () => {
      // A busy machine may honestly answer 503: the caller repeats the cancel.
      for (const id of others)
        await expect
          .poll(async () => (await system.call('DELETE', `/jobs/${id}`)).status, { timeout: 60_000 })
          .toBe(202);
    };
    await Promise.all(Array.from({ length: 10 }, cancelRest));
    await expect.poll(() => statuses(ids), { timeout: 120_000, interval: 500 }).toEqual({ deleted: 150 });
    // The statuses came after the pods were gone; ended objects disappear a moment later.
    await expect.poll(() => jobsOf(MANY), { timeout: 60_000 }).toEqual([]);
    const pods = (await ground.client.listPods(selectorOf(installation))).items;
    expect(
      pods.filter(({ metadata: { labels = {} } }) => MANY.includes(labels['syncrator/target'] ?? '')),
    ).toEqual([]);
  });
});

/** From before the request until the apiserver reports that the Kubernetes Job is being deleted. */
async function untilDeletionBegins(id: number): Promise<number> {
  const name = (await system.job(id)).steps[0]?.name ?? '';
  const selector = selectorOf(installation);
  const { metadata } = await ground.client.listJobs(selector);
  const seen = new AbortController();
  const asked = performance.now();
  const deleted = (async () => {
    for await (const { object } of ground.client.watch<Job>(
      'jobs',
      selector,
      metadata.resourceVersion,
      seen.signal,
    ))
      if (object.metadata.name === name && object.metadata.deletionTimestamp !== undefined)
        return performance.now() - asked;
    throw new Error(`the watch ended before ${name} was deleted`);
  })();
  expect((await system.call('DELETE', `/jobs/${id}`)).status).toBe(202);
  try {
    return await deleted;
  } finally {
    seen.abort();
  }
}

async function login(apiUrl: string): Promise<string> {
  const answer = await fetch(`${apiUrl}/login`, {
    method: 'POST',
    body: new URLSearchParams({ username: 'admin', password: 'correct horse battery' }),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}
