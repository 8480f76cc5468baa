/**
 * Waits until Kubernetes itself works again after an outage of its apiserver: its controllers pause long between
 * retries.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { trueCondition } from '../../../src/runner/kubernetes/diagnosis/job-status.ts';
import type { Rig } from '../rig/rig.ts';

const WITHIN_MS = 180_000;

/**
 * It works if the pod of a foreign Job runs, and if Kubernetes counts the end of every Job of these targets.
 * @throws Error if it does not recover
 */
export async function untilKubernetesIsRight(rig: Rig, endedTargets: readonly string[]): Promise<void> {
  const probe = `probe-${Date.now()}`;
  const { client, kubectl } = rig.ground;
  await kubectl('create', 'job', probe, '--image=registry.example/probe:1');
  const right = async () => {
    const { items } = await client.listPods(`batch.kubernetes.io/job-name=${probe}`);
    if (items[0]?.status?.phase !== 'Running') return false;
    const jobs = await client.listJobs('app.kubernetes.io/managed-by=syncrator');
    return jobs.items.every(
      (job) =>
        !endedTargets.includes(job.metadata.labels?.['syncrator/target'] ?? '') ||
        trueCondition(job, 'Complete') !== undefined ||
        trueCondition(job, 'Failed') !== undefined,
    );
  };
  for (const deadline = Date.now() + WITHIN_MS; !(await right().catch(() => false)); await wait(100))
    if (Date.now() > deadline) throw new Error('Kubernetes itself did not recover');
  await kubectl('delete', 'job', probe, '--wait=false');
}
