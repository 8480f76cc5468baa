/** Caches our Jobs and their pods from one shared watch, and wakes the callers that wait for a change of one. */
import { EventEmitter, once } from 'node:events';
import type { KubernetesClient } from './client.ts';
import { startListWatch } from './list-watch.ts';
import { CONTAINER, type Job, JOB_NAME_LABEL, JOB_UID_LABEL, type ObjectMeta, type Pod } from './types.ts';

export type JobCache = {
  /** True while both watches work; otherwise the cache may be stale. */
  healthy(): boolean;
  job(name: string): Job | undefined;
  jobs(): Iterable<Job>;
  pods(jobUid: string): Pod[];
  put(job: Job): void;
  drop(jobUid: string): void;
  /** Resolves at the next change of the Job or its pods, or when the signal aborts. */
  changed(jobName: string, signal: AbortSignal): Promise<void>;
  /** Resolves `changed` of this Job for another reason, such as a new line of its log. */
  wake(jobName: string): void;
};

export function startJobCache(options: {
  client: KubernetesClient;
  selector: string;
  onTrouble: (error: unknown) => void;
  signal: AbortSignal;
}): JobCache {
  const { client, selector, onTrouble, signal } = options;
  const news = new EventEmitter().setMaxListeners(0);
  const common = { client, selector, onTrouble, signal };
  const names = new Map<string, string>();
  const jobs = startListWatch<Job>({
    ...common,
    resource: 'jobs',
    list: () => client.listJobs(selector),
    trim: trimJob,
    onChange: (job) => {
      if (jobs.objects.has(job.metadata.uid)) names.set(job.metadata.name, job.metadata.uid);
      else names.delete(job.metadata.name);
      news.emit(job.metadata.name);
    },
  });
  const podsOf = new Map<string, Set<string>>();
  const pods = startListWatch<Pod>({
    ...common,
    resource: 'pods',
    list: () => client.listPods(selector),
    trim: trimPod,
    onChange: (pod) => {
      const jobUid = pod.metadata.labels?.[JOB_UID_LABEL] ?? '';
      const known = podsOf.get(jobUid) ?? new Set();
      if (pods.objects.has(pod.metadata.uid)) known.add(pod.metadata.uid);
      else known.delete(pod.metadata.uid);
      if (known.size > 0) podsOf.set(jobUid, known);
      else podsOf.delete(jobUid);
      news.emit(pod.metadata.labels?.[JOB_NAME_LABEL] ?? '');
    },
  });
  return {
    healthy: () => jobs.healthy() && pods.healthy(),
    job: (name) => jobs.objects.get(names.get(name) ?? ''),
    jobs: () => jobs.objects.values(),
    pods: (jobUid) => [...(podsOf.get(jobUid) ?? [])].flatMap((uid) => pods.objects.get(uid) ?? []),
    put(job) {
      jobs.put(job);
      names.set(job.metadata.name, job.metadata.uid);
    },
    drop(jobUid) {
      const job = jobs.objects.get(jobUid);
      if (job) names.delete(job.metadata.name);
      jobs.drop(jobUid);
    },
    async changed(jobName, until) {
      if (until.aborted) return;
      await once(news, jobName, { signal: until }).catch((error: unknown) => {
        if (!until.aborted) throw error;
      });
    },
    wake: (jobName) => void news.emit(jobName),
  };
}

function trimMeta(metadata: ObjectMeta): ObjectMeta {
  const { name, uid, resourceVersion, creationTimestamp, labels, annotations } = metadata;
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = metadata;
  return {
    name,
    uid,
    resourceVersion,
    creationTimestamp,
    // Used only while the object is being deleted.
    ...(deletionTimestamp === undefined
      ? {}
      : {
          deletionTimestamp,
          ...(deletionGracePeriodSeconds === undefined ? {} : { deletionGracePeriodSeconds }),
          ...(finalizers === undefined ? {} : { finalizers }),
        }),
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** Drops the pod template: it contains the report token, and we wrote it ourselves. */
function trimJob({ metadata, spec, status }: Job): Job {
  const { activeDeadlineSeconds, suspend } = spec ?? {};
  return {
    metadata: trimMeta(metadata),
    spec: {
      ...(activeDeadlineSeconds === undefined ? {} : { activeDeadlineSeconds }),
      ...(suspend === undefined ? {} : { suspend }),
    },
    ...(status === undefined ? {} : { status }),
  };
}

function trimPod({ metadata, spec, status }: Pod): Pod {
  const own = spec?.containers?.find(({ name }) => name === CONTAINER);
  const { nodeName } = spec ?? {};
  return {
    metadata: trimMeta(metadata),
    spec: {
      ...(nodeName === undefined ? {} : { nodeName }),
      containers: own
        ? [{ name: own.name, ...(own.resources === undefined ? {} : { resources: own.resources }) }]
        : [],
    },
    ...(status === undefined ? {} : { status }),
  };
}
