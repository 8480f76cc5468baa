/** Converts our Jobs and pods into the runner's listing of attempts. Pure. */
import type { Listed } from '../runner.ts';
import { readLabels } from './labels.ts';
import { finalizersOf, trueCondition, isBeingDeleted, mayRun } from './diagnosis/job-status.ts';
import { type Job, JOB_NAME_LABEL, JOB_UID_LABEL, type ObjectMeta, type Pod } from './apiserver/types.ts';

/**
 * Time in which a Job controller that has not seen the deletion of a Job may still create its pod. A Job that already
 * has its pod gets no second one (backoffLimit 0, podReplacementPolicy Failed).
 */
const MAKES_PODS_MS = 5_000;

/** Lists each Job with its pods once; pods whose Job is gone are listed in its place. */
export function listAttempts(jobs: readonly Job[], pods: readonly Pod[], now = Date.now()): Listed[] {
  const podsOf = Map.groupBy(pods, ({ metadata }) => metadata.labels?.[JOB_UID_LABEL]);
  const listed = new Map<string, Listed>();
  for (const job of jobs) {
    const { name, uid } = job.metadata;
    const unfinished = mayMakePods(job, podsOf.get(uid) ?? [], now);
    add({ name, uid, unfinished, removing: isBeingDeleted(job) }, job.metadata, `Kubernetes Job ${name}`);
  }
  for (const pod of pods) {
    const { metadata } = pod;
    const { [JOB_NAME_LABEL]: name = metadata.name, [JOB_UID_LABEL]: uid = '' } = metadata.labels ?? {};
    // The Job is gone, so deleting it removes nothing: each pod ends by itself, or by force.
    const removing = (podsOf.get(metadata.labels?.[JOB_UID_LABEL]) ?? []).every(isBeingDeleted);
    add({ name, uid, unfinished: false, removing }, metadata);
  }
  return [...listed.values()];

  function add(
    of: { name: string; uid: string; unfinished: boolean; removing: boolean },
    seen: ObjectMeta,
    job?: string,
  ) {
    const { name, uid, unfinished, removing } = of;
    const labels = listed.has(uid) ? undefined : readLabels(seen);
    if (!labels) return;
    const all = podsOf.get(uid) ?? [];
    const running = all.filter(mayRun);
    const live = unfinished || running.length > 0;
    const held = [
      ...(job === undefined ? [] : finalizersOf(job, seen)),
      ...all.flatMap(({ metadata }) => finalizersOf(`pod ${metadata.name}`, metadata)),
    ];
    const createdAt = new Date(seen.creationTimestamp);
    listed.set(uid, { name, uid, labels, live, removing, ending: endingOf(running), held, createdAt });
  }
}

function mayMakePods(job: Job, pods: readonly Pod[], now: number): boolean {
  if (trueCondition(job, 'Complete') || trueCondition(job, 'Failed')) return false;
  const { name, deletionTimestamp } = job.metadata;
  if (deletionTimestamp === undefined) return true;
  const isHeld = [job, ...pods].some(({ metadata }) => finalizersOf(name, metadata).length > 0);
  // Without foreign finalizers all of it disappears within moments. To count it until then is steady: it never counts
  // as ended while its pod is listed, and as unfinished again once the pod is gone.
  if (!isHeld) return true;
  if (pods.length > 0 || hadPod(job)) return false;
  // With skewed clocks a deletion may seem to lie in the future.
  return Math.abs(now - Date.parse(deletionTimestamp)) < MAKES_PODS_MS;
}

/** True once the controller has counted a pod of the Job, also after that pod is gone. */
function hadPod({ status = {} }: Job): boolean {
  const {
    active = 0,
    terminating = 0,
    succeeded = 0,
    failed = 0,
    uncountedTerminatedPods: uncounted,
  } = status;
  return (
    active + terminating + succeeded + failed > 0 ||
    (uncounted?.succeeded ?? []).length + (uncounted?.failed ?? []).length > 0
  );
}

/** Only the kubelet of its node ends a scheduled pod. */
function endingOf(pods: readonly Pod[]): Listed['ending'] {
  const ending = pods.find(isBeingDeleted);
  if (ending?.spec?.nodeName === undefined) return undefined;
  const { deletionGracePeriodSeconds: graceSeconds = 0 } = ending.metadata;
  return { by: `node ${ending.spec.nodeName}`, graceSeconds };
}
