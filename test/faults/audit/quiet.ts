/** Waits until nothing of ours is left: no active job, no pod, no Kubernetes Job, no open workflow. */
import { setTimeout as wait } from 'node:timers/promises';
import { ACTIVE_STATUSES } from '../../../src/domain/status.ts';
import type { Rig } from '../rig/rig.ts';

const OURS = 'app.kubernetes.io/managed-by=syncrator';

/** Also returns when the time is over: the audit then names what is left. */
export async function untilQuiet(rig: Rig, withinMs: number): Promise<void> {
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; await wait(250))
    if (await isQuiet(rig).catch(() => false)) return; // a server is on its way back: asked again
}

async function isQuiet(rig: Rig): Promise<boolean> {
  const active = await rig.db
    .selectFrom('jobs')
    .select('id')
    .where('status', 'in', ACTIVE_STATUSES)
    .limit(1)
    .execute();
  if (active.length > 0) return false;
  const { client } = rig.ground;
  const [jobs, pods] = await Promise.all([client.listJobs(OURS), client.listPods(OURS)]);
  if (jobs.items.length + pods.items.length > 0) return false;
  return (await rig.temporal.client.workflow.count('ExecutionStatus = "Running"')).count === 0;
}
