/** Turns the store's writes into lives: one for each pod and each Kubernetes Job of ours. */
import { readLabels } from '../../../src/runner/kubernetes/labels.ts';
import type { Job, Pod } from '../../../src/runner/kubernetes/apiserver/types.ts';
import type { Write } from './etcd.ts';

export type Life = {
  readonly name: string;
  readonly uid: string;
  /** `<env>/<target>`: at most one live pod may have it. */
  readonly lockKey: string;
  readonly jobUid: string;
  readonly step: number;
  /** Name of the Kubernetes Job. */
  readonly stepName: string;
  /** Revision of its creation. */
  readonly from: number;
  /** Revision at which it ended or was removed, whichever came first. */
  to: number;
  /** Revision of the request to delete it. */
  deletionFrom: number | undefined;
  removed: boolean;
  /** A pod's phase; for a Kubernetes Job: Complete, Failed or nothing. */
  lastState: string;
  /** Finalizers that hold up its removal. */
  finalizers: readonly string[];
};

export const PODS = '/registry/pods/';
export const JOBS = '/registry/jobs/';

/** Leaves out objects without our labels. */
export function livesOf(writes: readonly Write[], prefix: typeof PODS | typeof JOBS): Life[] {
  const open = new Map<string, Life>();
  const all: Life[] = [];
  for (const { key, revision, object } of writes) {
    if (!key.startsWith(prefix)) continue;
    const stored = object as (Pod & Job) | undefined;
    const uid = stored?.metadata.uid;
    let life = open.get(key);
    if (life && life.uid !== uid) {
      life.removed = true;
      life.to = Math.min(life.to, revision);
      open.delete(key);
      life = undefined;
    }
    if (!stored) continue;
    if (!life) {
      life = begin(stored, revision);
      if (!life) continue;
      open.set(key, life);
      all.push(life);
    }
    life.finalizers = stored.metadata.finalizers ?? [];
    if (stored.metadata.deletionTimestamp !== undefined) life.deletionFrom ??= revision;
    life.lastState = prefix === PODS ? (stored.status?.phase ?? 'Pending') : endOf(stored);
    if (['Succeeded', 'Failed', 'Complete'].includes(life.lastState)) life.to = Math.min(life.to, revision);
  }
  return all;
}

function begin({ metadata }: Pod, revision: number): Life | undefined {
  // Only the Kubernetes Job has the spec's hash, an annotation; its pods have all its labels.
  const labels = readLabels(metadata);
  if (!labels) return undefined;
  return {
    name: metadata.name,
    uid: metadata.uid,
    lockKey: `${labels.env}/${labels.target}`,
    jobUid: labels.jobUid,
    step: labels.step,
    stepName: metadata.labels?.['batch.kubernetes.io/job-name'] ?? metadata.name,
    from: revision,
    to: Number.MAX_SAFE_INTEGER,
    deletionFrom: undefined,
    removed: false,
    lastState: '',
    finalizers: [],
  };
}

function endOf({ status }: Job): string {
  const ended = status?.conditions?.find(
    ({ type, status: is }) => is === 'True' && (type === 'Complete' || type === 'Failed'),
  );
  return ended?.type ?? '';
}
