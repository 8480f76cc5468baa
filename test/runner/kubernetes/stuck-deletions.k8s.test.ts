/**
 * Foreign finalizers keep objects, but no jobs: a job whose pods have ended is over, its target is free, and it
 * names the remaining objects.
 */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { requestForceDelete } from '../../../src/db/jobs/cancel.ts';
import { cancel } from '../../../src/engine/cancel.ts';
import { createKubernetesGround, type KubernetesGround } from '../../support/kubernetes.ts';
import { submitted } from '../../support/bulk-jobs.ts';
import { params, startSystem, type System } from '../../support/system.ts';

const HOLD = 'example.org/hold';
const LOST = 'POD_OVERRIDES={"annotations":{"kwok.syncrator/never-deleted":"true"}}\n';
const LONG = '--mute --seconds 600';
let ground: KubernetesGround;
let system: System;
beforeAll(async () => {
  ground = await createKubernetesGround(inject('cluster'), { forceDelete: true });
  system = await startSystem({
    ground,
    params: [
      ...['pod', 'job', 'deleted'].map((name) => params(`held-${name}`, 'sync', LONG)),
      ...['pod', 'lost'].map((name) => params(`held-${name}`, 'delta', '--mute')),
      params('held-lost', 'sync', LONG, LOST),
    ],
  });
  await Promise.all([system.startApi(), system.startWorker()]);
});
afterAll(async () => {
  for (const kind of ['pods', 'jobs']) {
    const names = await ground.kubectl('get', kind, '-o', 'name');
    for (const name of names.split('\n').filter(Boolean)) await finalizers(name, 'null');
  }
  await system[Symbol.asyncDispose]();
});

async function finalizers(name: string, list: string): Promise<void> {
  await ground.kubectl('patch', name, '--type=merge', '-p', `{"metadata":{"finalizers":${list}}}`);
}

/** A running job, with the names of its Kubernetes Job and pod. */
async function running(target: string) {
  const id = await submitted(system, target);
  const { steps } = await system.until(id, 'running');
  const job = steps[0]?.name ?? '';
  const pods = await ground.kubectl('get', 'pods', '-l', `batch.kubernetes.io/job-name=${job}`, '-o', 'name');
  return { id, job, pod: pods.trim().replace('pod/', '') };
}

/** Finalizers except those that Kubernetes removes by itself. */
async function hold(kind: 'pod' | 'job', name: string): Promise<void> {
  const own = kind === 'pod' ? '"batch.kubernetes.io/job-tracking",' : '';
  await finalizers(`${kind}/${name}`, `[${own}"${HOLD}"]`);
}

test('a cancelled job ends and frees its target although a finalizer holds its ended pod', async () => {
  const { id, pod } = await running('held-pod');
  await hold('pod', pod);
  await cancel(system, { id, principal: 'test' });
  const job = await system.until(id, 'deleted');
  expect(job.status_detail).toBe(
    `Has ended but cannot be deleted yet: pod ${pod}, held by finalizer ${HOLD}.`,
  );
  expect(await system.live('held-pod')).toEqual([]);
  expect(await ground.kubectl('get', 'pod', pod, '-o', 'jsonpath={.status.phase}')).toBe('Failed');
  await system.until(await submitted(system, 'held-pod', 'delta'), 'completed');
});

test('a cancelled job ends although a finalizer holds its Kubernetes Job', async () => {
  const { id, job } = await running('held-job');
  await hold('job', job);
  await cancel(system, { id, principal: 'test' });
  const ended = await system.until(id, 'deleted');
  expect(ended.status_detail).toContain(`Kubernetes Job ${job}, held by finalizer ${HOLD}`);
});

test('a Job deleted from outside has failed although a finalizer holds its pod', {
  timeout: 60_000,
}, async () => {
  const { id, job, pod } = await running('held-deleted');
  await hold('pod', pod);
  await ground.kubectl('delete', 'job', job, '--wait=false');
  const ended = await system.until(id, 'failed', 45_000);
  expect(['job_disappeared', 'disrupted', 'killed']).toContain(ended.diagnosis?.code);
  expect(ended.status_detail).toContain(`pod ${pod}, held by finalizer ${HOLD}`);
});

test('force-delete ends a job whose held pod may still run, and the audit names the remaining objects', {
  timeout: 60_000,
}, async () => {
  const { id, pod } = await running('held-lost');
  await hold('pod', pod);
  await cancel(system, { id, principal: 'test' });
  await expect.poll(() => system.live('held-lost')).toMatchObject([{ removing: true, ending: {} }]);
  // A pod that may run on holds its target, whatever finalizer it has.
  expect(await system.job(id)).toMatchObject({ status: 'cancelling' });
  expect(await requestForceDelete(system.db, { id, principal: 'test' })).toBe(true);
  await system.until(id, 'deleted');
  const lines = await system.db.selectFrom('audit').selectAll().where('object', '=', `job ${id}`).execute();
  expect(lines.find(({ verb }) => verb === 'leave-behind')?.detail).toMatchObject({
    target: 'held-lost',
    objects: [`pod ${pod}, held by finalizer ${HOLD}`],
  });
  await system.until(await submitted(system, 'held-lost', 'delta'), 'completed');
});
