/** Runner `kubernetes`: each attempt is a Job of one pod. The watch is a hint; a GET is the truth (design.md §3.6–3.8). */
import type { PodOverrides } from '../../domain/job.ts';
import { describeAttempt, isSameAttempt, type StepLabels } from '../../domain/names.ts';
import type { Launched, Listed, Observation, Runner, StepLaunch } from '../runner.ts';
import type { KubernetesClient } from './client.ts';
import { type ClusterView, watchCluster } from './cluster-view.ts';
import { diagnoseKubernetes } from './diagnose.ts';
import { hasStatus, isUnclear } from './errors.ts';
import { judge } from './judge.ts';
import { isOfJob, readLabels, selectorOf } from './labels.ts';
import { listedOf } from './listed.ts';
import { openPodLog } from './log-reader.ts';
import { holds, isLive, ourContainer } from './look.ts';
import { CONTAINER, type Event, type Job, JOB_UID_LABEL, type Pod } from './objects.ts';
import { createRemains } from './remains.ts';
import { refusedLaunch } from './refused-launch.ts';
import { renderJob } from './render.ts';

export type KubernetesRunnerOptions = {
  readonly client: KubernetesClient;
  /** Ours; Jobs of another installation in the same namespace are none of our business. */
  readonly installation: string;
  readonly podOverrides: PodOverrides;
  /** Trouble that heals by itself, to be logged: a watch that broke, a log that cannot be read. */
  readonly onTrouble: (what: string, error: unknown) => void;
  /** Ends the shared watch. */
  readonly signal: AbortSignal;
};

/** Every step is read anew at least this often, whatever the watch shows. */
const TRUTH_MS = 25_000;
/** A Job that still has no pod, or a pod that has not started, is asked about its events this often. */
const EVENTS_AFTER_MS = 8_000;
const EVENTS_EVERY_MS = 10_000;

/** What this worker remembers of a Job between two looks. */
type Memory = { readAt: number; events: Event[]; eventsAt: number; settled: boolean };

export function createKubernetesRunner(options: KubernetesRunnerOptions): Runner {
  const { client, installation, onTrouble } = options;
  const view = watchCluster({
    client,
    selector: selectorOf(installation),
    onTrouble: (error) => onTrouble('the shared watch broke; listing again', error),
    signal: options.signal,
  });
  const memories = new Map<string, Memory>();
  const remains = createRemains(client, (error) =>
    onTrouble('what is left of a Job could not be deleted; the reconciler tries again', error),
  );

  return {
    launch: (step) => remains.whileLaunching(() => launch(step)),
    list,
    observe,
    changed: (name, signal) => view.changed(name, signal),

    // All of it is read: the cluster cannot be asked for a part, and lets go of what is old by itself.
    openLog({ name, uid }, from) {
      return openPodLog(
        client,
        {
          pod: () => startedPod(view.pods(uid)),
          container: CONTAINER,
          ended: () => !view.pods(uid).some(isLive),
          async find() {
            const { items } = await client.listPods(`${JOB_UID_LABEL}=${uid}`);
            const pod = startedPod(items);
            if (pod !== undefined) return { pod };
            return items.length > 0 ? 'end' : 'gone';
          },
        },
        {
          from,
          onNews: () => view.wake(name),
          onTrouble: (error) => onTrouble(`the log of ${name} cannot be read just now`, error),
        },
      );
    },

    async remove({ name, uid, force }) {
      // The Job first: it needs no more than the Role that every worker has.
      await client.deleteJob({ name, uid, force });
      if (force) await removePods(uid);
    },

    async forget({ name, uid }) {
      memories.delete(uid);
      remains.add({ name, uid });
    },

    diagnose: diagnoseKubernetes,
  };

  async function removePods(jobUid: string): Promise<void> {
    const pods = await client.listPods(`${JOB_UID_LABEL}=${jobUid}`);
    try {
      for (const { metadata } of pods.items) await client.deletePod(metadata);
    } catch (cause) {
      if (!hasStatus(cause, 403)) throw cause;
      throw new Error(
        `${cause.message}. Ending a pod by force needs the optional Role of deploy/kubernetes/force-delete-role.yaml.`,
        { cause },
      );
    }
  }

  /** Adopt-or-create: 409 or an unclear answer is followed by a look at what has the name. */
  async function launch(step: StepLaunch): Promise<Launched> {
    const manifest = renderJob({ ...step, jobId: step.labels.jobId, podOverrides: options.podOverrides });
    let created: Job;
    try {
      created = await client.createJob(manifest);
    } catch (error) {
      if (!hasStatus(error, 409) && !isUnclear(error)) return refusedLaunch(error);
      const found = await client.readJob(step.name);
      // Not there: the next try of the launch creates it.
      if (!found) throw error;
      return adopt(found, step);
    }
    remember(created);
    return { kind: 'launched', uid: created.metadata.uid };
  }

  function adopt(found: Job, step: StepLaunch): Launched {
    const labels = readLabels(found.metadata);
    if (!labels || !isSameAttempt(labels, step.labels))
      return { kind: 'name_conflict', owner: ownerOf(found, labels) };
    if (found.metadata.deletionTimestamp !== undefined) return { kind: 'being_deleted' };
    remember(found);
    return { kind: 'launched', uid: found.metadata.uid };
  }

  /** An answer that holds the Job is as good as a GET of it. */
  function remember(job: Job): Memory {
    view.put(job);
    const { uid } = job.metadata;
    const memory = memories.get(uid) ?? { readAt: 0, events: [], eventsAt: 0, settled: false };
    memory.readAt = Date.now();
    memories.set(uid, memory);
    return memory;
  }

  async function observe({ name, uid }: { name: string; uid: string | null }): Promise<Observation> {
    const cached = view.healthy() ? view.job(name) : undefined;
    if (cached && (uid === null || cached.metadata.uid === uid)) {
      const memory = memories.get(cached.metadata.uid);
      if (memory && Date.now() - memory.readAt < TRUTH_MS) {
        const pods = view.pods(cached.metadata.uid);
        const seen = judge({ job: cached, pods, events: await recentEvents(cached, pods, memory) });
        if (seen.state !== 'ended') return seen;
      }
    }
    return await observeAnew(name, uid);
  }

  /** The truth. Only the pod of a Job that is Complete may come from the watch: it does not change any more. */
  async function observeAnew(name: string, uid: string | null): Promise<Observation> {
    const job = await client.readJob(name);
    if (!job || (uid !== null && job.metadata.uid !== uid)) {
      if (uid !== null) view.drop(uid);
      return { state: 'absent' };
    }
    const memory = remember(job);
    const settled = settledPods(job, view);
    memory.settled = settled !== undefined;
    const pods = settled ?? (await client.listPods(`${JOB_UID_LABEL}=${job.metadata.uid}`)).items;
    return judge({ job, pods, events: settled ? [] : await recentEvents(job, pods, memory) });
  }

  /** Events cost a call for each object, so they are asked for only when a Job has not come to run as it should. */
  async function recentEvents(job: Job, pods: readonly Pod[], memory: Memory): Promise<Event[]> {
    const late = Date.now() - Date.parse(job.metadata.creationTimestamp) > EVENTS_AFTER_MS;
    const started = pods.some(({ status }) => status?.phase !== undefined && status.phase !== 'Pending');
    const wanted = holds(job, 'Failed') ? pods.length === 0 : late && !started;
    if (!wanted || Date.now() - memory.eventsAt < EVENTS_EVERY_MS) return memory.events;
    const uids = [job.metadata.uid, ...pods.map((pod) => pod.metadata.uid)];
    memory.events = (await Promise.all(uids.map((of) => client.listEvents(of)))).flat();
    memory.eventsAt = Date.now();
    return memory.events;
  }

  async function list(of?: Parameters<Runner['list']>[0]): Promise<Listed[]> {
    const remembered = of && 'jobUid' in of ? settledJobs(of.jobUid) : undefined;
    if (remembered) return remembered;
    const selector = selectorOf(installation, of);
    const [jobs, pods] = await Promise.all([client.listJobs(selector), client.listPods(selector)]);
    if (!of) forgetAllBut(new Set(jobs.items.map(({ metadata }) => metadata.uid)));
    return listedOf(jobs.items, pods.items);
  }

  /** Jobs that another worker concluded; one just launched may be younger than the listing. */
  function forgetAllBut(uids: ReadonlySet<string>): void {
    for (const [uid, { readAt }] of memories)
      if (!uids.has(uid) && Date.now() - readAt > 2 * TRUTH_MS) memories.delete(uid);
  }

  /** All of a job's steps, if each was read anew as Complete with its one pod ended, and the watch is well. */
  function settledJobs(jobUid: string): Listed[] | undefined {
    if (!view.healthy()) return undefined;
    const jobs = [...view.jobs()].filter(({ metadata }) => isOfJob(metadata, jobUid));
    const settled = jobs.every(({ metadata }) => memories.get(metadata.uid)?.settled === true);
    if (jobs.length === 0 || !settled) return undefined;
    return listedOf(
      jobs,
      jobs.flatMap((job) => view.pods(job.metadata.uid)),
    );
  }
}

/** The one pod of a Complete Job as the watch shows it, when nothing of it can change any more; else undefined. */
function settledPods(job: Job, view: ClusterView): Pod[] | undefined {
  if (!view.healthy() || !holds(job, 'Complete')) return undefined;
  const { active = 0, terminating = 0, succeeded = 0 } = job.status ?? {};
  const pods = view.pods(job.metadata.uid);
  const oneEnded = pods.length === 1 && !pods.some(isLive);
  return active === 0 && terminating === 0 && succeeded === 1 && oneEnded ? pods : undefined;
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
