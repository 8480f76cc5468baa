/** Our Jobs and pods as the runner lists them. Pure. */
import type { Listed } from '../runner.ts';
import { readLabels } from './labels.ts';
import { holds, isLive } from './look.ts';
import { type Job, JOB_NAME_LABEL, JOB_UID_LABEL, type ObjectMeta, type Pod } from './objects.ts';

/** Jobs with their pods; pods whose Job is gone stand for it. */
export function listedOf(jobs: readonly Job[], pods: readonly Pod[]): Listed[] {
  const podsOf = Map.groupBy(pods, ({ metadata }) => metadata.labels?.[JOB_UID_LABEL]);
  const listed = new Map<string, Listed>();
  for (const job of jobs) {
    const { name, uid, deletionTimestamp } = job.metadata;
    const unfinished = !holds(job, 'Complete') && !holds(job, 'Failed');
    add({ name, uid, unfinished, removing: deletionTimestamp !== undefined }, job.metadata);
  }
  for (const { metadata } of pods) {
    const { [JOB_NAME_LABEL]: name = metadata.name, [JOB_UID_LABEL]: uid = '' } = metadata.labels ?? {};
    add({ name, uid, unfinished: false, removing: false }, metadata);
  }
  return [...listed.values()];

  function add(of: { name: string; uid: string; unfinished: boolean; removing: boolean }, seen: ObjectMeta) {
    const { name, uid, unfinished, removing } = of;
    const labels = listed.has(uid) ? undefined : readLabels(seen);
    if (!labels) return;
    const livePods = podsOf.get(uid)?.filter(isLive) ?? [];
    const live = unfinished || livePods.length > 0;
    const createdAt = new Date(seen.creationTimestamp);
    listed.set(uid, { name, uid, labels, live, removing, ending: endingOf(livePods), createdAt });
  }
}

/** The kubelet of the pod's node has to end it; nothing else takes a pod away that has one. */
function endingOf(pods: readonly Pod[]): Listed['ending'] {
  const told = pods.find(({ metadata }) => metadata.deletionTimestamp !== undefined);
  if (told?.spec?.nodeName === undefined) return undefined;
  const { deletionGracePeriodSeconds: graceSeconds = 0 } = told.metadata;
  return { by: `node ${told.spec.nodeName}`, graceSeconds };
}
