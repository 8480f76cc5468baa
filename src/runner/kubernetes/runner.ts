/**
 * Runner `kubernetes`: each attempt is a Kubernetes Job of one pod. The shared watch only tells when to read; an end is
 * always read from the apiserver.
 */
import type { PodOverrides } from '../../domain/job.ts';
import { describeAttempt, isSameAttempt, type StepLabels } from '../../domain/names.ts';
import type { Launched, LogPosition, LogReader, Runner, StepLaunch } from '../runner.ts';
import type { KubernetesClient } from './apiserver/client.ts';
import { hasStatus, isUnclear } from './apiserver/errors.ts';
import { type JobCache, startJobCache } from './apiserver/job-cache.ts';
import { CONTAINER, type Job, JOB_UID_LABEL, type Pod } from './apiserver/types.ts';
import { createCleanupQueue } from './cleanup-queue.ts';
import { explainCreateError } from './diagnosis/create-errors.ts';
import { diagnoseKubernetes } from './diagnosis/explain.ts';
import { isLive, ourContainer } from './diagnosis/job-status.ts';
import { readLabels, selectorOf } from './labels.ts';
import { openPodLog } from './logs/log-reader.ts';
import { JobObserver } from './observer.ts';
import { renderJob } from './render.ts';

export type KubernetesRunnerOptions = {
  readonly client: KubernetesClient;
  /** Name of this installation; Jobs of other installations in the namespace are ignored. */
  readonly installation: string;
  readonly podOverrides: PodOverrides;
  /** Logs a problem that the runner retries by itself: a broken watch, an unreadable log. */
  readonly onTrouble: (what: string, error: unknown) => void;
  /** Ends the shared watch. */
  readonly signal: AbortSignal;
};

export function createKubernetesRunner(options: KubernetesRunnerOptions): Runner {
  const { client, installation, onTrouble } = options;
  const cache = startJobCache({
    client,
    selector: selectorOf(installation),
    onTrouble: (error) => onTrouble('the watch of Jobs and pods broke; listing again', error),
    signal: options.signal,
  });
  const observer = new JobObserver({ client, cache, installation });
  const cleanup = createCleanupQueue(client, (error) =>
    onTrouble('cannot delete an ended Job; the reconciler will retry', error),
  );
  return {
    launch: (step) => cleanup.whileLaunching(() => launch(client, observer, step, options.podOverrides)),
    list: (of) => observer.list(of),
    observe: (step) => observer.observe(step),
    changed: (name, signal) => cache.changed(name, signal),
    // Reads the whole log: the apiserver returns no part of one, and the node drops old lines by itself.
    openLog: (step, from) => openLog({ client, cache, onTrouble }, step, from),
    async remove({ name, uid, force }) {
      // The Job first: deleting it needs only the Role that every worker has.
      await client.deleteJob({ name, uid, force });
      if (force) await removePods(client, uid);
    },
    async forget({ name, uid }) {
      observer.forget(uid);
      cleanup.add({ name, uid });
    },
    diagnose: diagnoseKubernetes,
  };
}

/** Adopts or creates: after a 409 or an unclear answer, reads the Job of that name. */
async function launch(
  client: KubernetesClient,
  observer: JobObserver,
  step: StepLaunch,
  podOverrides: PodOverrides,
): Promise<Launched> {
  const manifest = renderJob({ ...step, jobId: step.labels.jobId, podOverrides });
  let created: Job;
  try {
    created = await client.createJob(manifest);
  } catch (error) {
    if (!hasStatus(error, 409) && !isUnclear(error)) return explainCreateError(error);
    const found = await client.readJob(step.name);
    // Not found: the next attempt to launch creates it.
    if (!found) throw error;
    return adopt(observer, found, step);
  }
  observer.remember(created);
  return { kind: 'launched', uid: created.metadata.uid };
}

function adopt(observer: JobObserver, found: Job, step: StepLaunch): Launched {
  const labels = readLabels(found.metadata);
  if (!labels || !isSameAttempt(labels, step.labels))
    return { kind: 'name_conflict', owner: ownerOf(found, labels) };
  if (found.metadata.deletionTimestamp !== undefined) return { kind: 'being_deleted' };
  observer.remember(found);
  return { kind: 'launched', uid: found.metadata.uid };
}

function openLog(
  parts: { client: KubernetesClient; cache: JobCache; onTrouble: KubernetesRunnerOptions['onTrouble'] },
  { name, uid }: { name: string; uid: string },
  from: LogPosition,
): LogReader {
  const { client, cache, onTrouble } = parts;
  const source = {
    pod: () => startedPod(cache.pods(uid)),
    container: CONTAINER,
    ended: () => !cache.pods(uid).some(isLive),
    async find() {
      const { items } = await client.listPods(`${JOB_UID_LABEL}=${uid}`);
      const pod = startedPod(items);
      if (pod !== undefined) return { pod };
      return items.length > 0 ? ('end' as const) : ('gone' as const);
    },
  };
  return openPodLog(client, source, {
    from,
    onNews: () => cache.wake(name),
    onTrouble: (error) => onTrouble(`cannot read the log of ${name}; retrying`, error),
  });
}

async function removePods(client: KubernetesClient, jobUid: string): Promise<void> {
  const pods = await client.listPods(`${JOB_UID_LABEL}=${jobUid}`);
  try {
    for (const { metadata } of pods.items) await client.deletePod(metadata);
  } catch (cause) {
    if (!hasStatus(cause, 403)) throw cause;
    throw new Error(
      `${cause.message}. Force-deleting a pod needs the optional Role of deploy/kubernetes/force-delete-role.yaml.`,
      { cause },
    );
  }
}

function startedPod(pods: readonly Pod[]): string | undefined {
  return pods.find((pod) => {
    const { running, terminated } = ourContainer(pod)?.state ?? {};
    return running ?? terminated;
  })?.metadata.name;
}

function ownerOf({ metadata }: Job, labels: StepLabels | undefined): string {
  return labels
    ? `${describeAttempt(labels)} of installation ${labels.installation}`
    : `a Job that is not Syncrator's (uid ${metadata.uid})`;
}
