/**
 * Waits until nothing of ours is left: no active job, no pod, no Kubernetes Job, no open workflow. Waits as long as
 * their number falls.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { ACTIVE_STATUSES } from '../../../src/domain/status.ts';
import type { Rig } from '../rig/rig.ts';

const OURS = 'app.kubernetes.io/managed-by=syncrator';

/** More than the possible number of objects and workflows, which are counted only once no job is active. */
const A_JOB = 1_000_000;

/**
 * Also returns if the number did not fall for this long: the audit then names what is left.
 * @param withinMs on an idle machine; longer on a busy one
 */
export async function untilQuiet(rig: Rig, withinMs: number): Promise<void> {
  let least = Infinity;
  let since = Date.now();
  for (; Date.now() - since < withinMs * rig.busyness.factor(since); await wait(250)) {
    const left = await countLeft(rig).catch(() => Infinity); // a server is coming back: try again
    if (left === 0) return;
    if (left < least) [least, since] = [left, Date.now()];
  }
}

async function countLeft(rig: Rig): Promise<number> {
  const active = await rig.db
    .selectFrom('jobs')
    .select('id')
    .where('status', 'in', ACTIVE_STATUSES)
    .execute();
  if (active.length > 0) return active.length * A_JOB;
  const { client } = rig.ground;
  const [jobs, pods] = await Promise.all([client.listJobs(OURS), client.listPods(OURS)]);
  const objects = jobs.items.length + pods.items.length;
  return objects + (await rig.temporal.client.workflow.count('ExecutionStatus = "Running"')).count;
}
