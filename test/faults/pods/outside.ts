/** Faults from outside the pod: the cluster removes it, somebody deletes it, its node is lost. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Fault } from './fault.ts';
import type { Scene } from './scene.ts';

const AGAIN = 'RETRIES=1\n';

export const OUTSIDE_FAULTS: readonly Fault[] = [
  {
    name: 'evicted',
    pod: { behaviour: 'evicted', 'finish-after': '2s' },
    end: { as: 'failed:disrupted', words: /The node was low on resource: memory/, within: 15 },
  },
  {
    name: 'node-shutdown',
    pod: { behaviour: 'node-shutdown', 'finish-after': '2s' },
    end: { as: 'failed:disrupted', words: /imminent node shutdown/, within: 15 },
  },
  {
    name: 'preempted-twice',
    pod: { behaviour: 'preempted', 'finish-after': '2s' },
    lines: AGAIN,
    end: { as: 'failed:disrupted', words: /PreemptionByScheduler/, attempts: 2, within: 25 },
  },
  {
    name: 'evicted-and-retried',
    lines: AGAIN,
    meddle: async (scene) => {
      await scene.untilRunning(1);
      await evict(scene);
      await scene.untilRunning(2);
      await scene.annotate('exit-code', '0');
    },
    end: { as: 'completed', attempts: 2, within: 25 },
  },
  {
    name: 'pod-deleted',
    meddle: async (scene) => {
      await scene.untilRunning();
      await scene.rig.ground.kubectl('delete', 'pod', await scene.pod(), '--wait=false');
    },
    end: { as: 'failed:disrupted', words: /RETRIES/, within: 20 },
  },
  {
    name: 'job-deleted',
    // The pod lives on for a while: the job must not be final before it has ended.
    pod: { 'delete-after': '6s' },
    meddle: async (scene) => {
      await scene.untilRunning();
      await scene.rig.ground.kubectl('delete', 'job', scene.jobName(1), '--wait=false');
    },
    end: { as: 'failed:job_disappeared', within: 30 },
  },
  {
    name: 'name-conflict',
    lines: AGAIN,
    meddle: async (scene) => {
      const { kubectl } = scene.rig.ground;
      await scene.untilRunning(1);
      const taken = scene.jobName(2);
      await kubectl('create', 'job', taken, '--image=registry.example/stranger:1');
      await evict(scene);
      await scene.until(({ diagnosis }) => diagnosis !== null, 'ended');
      await wait(1_000);
      await kubectl('delete', 'job', taken); // throws if it was removed
    },
    end: { as: 'failed:name_conflict', words: /not Syncrator's/, attempts: 2, within: 20 },
  },
  {
    name: 'slow-cancel',
    pod: { 'delete-after': '8s' },
    meddle: async (scene) => {
      await scene.untilRunning();
      await cancel(scene);
    },
    end: { as: 'deleted', within: 30 },
  },
  {
    name: 'node-lost',
    pod: { 'never-deleted': 'true' },
    shows: { reason: 'node_unreachable', words: /^node \S+ was told to end .*force-delete/s, within: 75 },
    meddle: async (scene) => {
      await scene.untilRunning();
      await cancel(scene);
      await scene.untilShown('node_unreachable');
      await force(scene);
    },
    end: { as: 'deleted', within: 90 },
  },
  {
    name: 'kubelet-hangs',
    meddle: async (scene) => {
      await allRunning(scene, 'kubelet-hangs');
      scene.rig.cluster.parts.kwok.pause();
      await cancel(scene);
      await wait(10_000);
      const { status } = scene.shown();
      if (status !== 'cancelling') throw new Error(`was ${status} while its pod was not known to have ended`);
      await force(scene);
    },
    alone: { begin: async () => undefined, end: ({ rig }) => rig.cluster.parts.kwok.resume() },
    end: { as: 'deleted', within: 40 },
  },
];

async function cancel({ rig, id }: Scene): Promise<void> {
  const { status } = await rig.api.insist('DELETE', `/jobs/${id}`);
  if (status !== 202) throw new Error(`its cancel was answered ${status}`);
}

async function force({ rig, id }: Scene): Promise<void> {
  const { status } = await rig.api.insist('POST', `/jobs/${id}/force-delete`);
  if (status !== 202) throw new Error(`its force-delete was answered ${status}`);
}

/** As a drained node does. */
async function evict(scene: Scene): Promise<void> {
  const { rig } = scene;
  const name = await scene.pod();
  const { namespace, kubectl } = rig.ground;
  const file = path.join(rig.dir, `eviction-${scene.id}.json`);
  writeFileSync(
    file,
    JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } }),
  );
  await kubectl('create', '--raw', `/api/v1/namespaces/${namespace}/pods/${name}/eviction`, '-f', file);
}

/** Includes the other jobs of this fault: the next act affects them all. */
async function allRunning({ rig }: Scene, fault: string): Promise<void> {
  for (;;) {
    const jobs = await rig.db
      .selectFrom('jobs')
      .select('status')
      .where('target', 'like', `${fault}-%`)
      .execute();
    if (jobs.every(({ status }) => status === 'running' || status === 'cancelling')) return;
    await wait(100);
  }
}
