/** Observes and lists Jobs: from the job cache where that is safe, else by reading them from the apiserver. */
import type { Key } from '../../domain/job.ts';
import type { Listed, Observation } from '../runner.ts';
import type { KubernetesClient } from './apiserver/client.ts';
import type { JobCache } from './apiserver/job-cache.ts';
import { type Event, type Job, JOB_UID_LABEL, type Pod } from './apiserver/types.ts';
import { isLive, trueCondition } from './diagnosis/job-status.ts';
import { observeJob } from './diagnosis/observe.ts';
import { isOfJob, selectorOf } from './labels.ts';
import { listAttempts } from './list-jobs.ts';

/** Longest time between two reads of a Job from the apiserver, whatever the watch shows. */
const REREAD_MS = 25_000;
/** Age from which the events of a Job without a running pod are read, and the interval of reading them. */
const EVENTS_AFTER_MS = 8_000;
const EVENTS_EVERY_MS = 10_000;

/** State of a Job that this worker keeps between two observations. */
type Memory = { readAt: number; events: Event[]; eventsAt: number; settled: boolean };

export class JobObserver {
  readonly #client: KubernetesClient;
  readonly #cache: JobCache;
  readonly #installation: string;
  readonly #memories = new Map<string, Memory>();

  constructor(of: { client: KubernetesClient; cache: JobCache; installation: string }) {
    this.#client = of.client;
    this.#cache = of.cache;
    this.#installation = of.installation;
  }

  async observe({ name, uid }: { name: string; uid: string | null }): Promise<Observation> {
    const cache = this.#cache;
    const cached = cache.healthy() ? cache.job(name) : undefined;
    if (cached && (uid === null || cached.metadata.uid === uid)) {
      const memory = this.#memories.get(cached.metadata.uid);
      if (memory && Date.now() - memory.readAt < REREAD_MS) {
        const pods = cache.pods(cached.metadata.uid);
        const events = await this.#recentEvents(cached, pods, memory);
        const observation = observeJob({ job: cached, pods, events });
        // An end is reported only after the Job was read from the apiserver.
        if (observation.state !== 'ended') return observation;
      }
    }
    return await this.#observeAnew(name, uid);
  }

  async list(of?: Key | { readonly jobUid: string }): Promise<Listed[]> {
    const settled = of && 'jobUid' in of ? this.#settledJobs(of.jobUid) : undefined;
    if (settled) return settled;
    const selector = selectorOf(this.#installation, of);
    const jobs = await this.#client.listJobs(selector);
    // After the Jobs: a pod that the status of a Job counts is in this list, or is gone.
    const pods = await this.#client.listPods(selector);
    if (!of) this.#forgetAllBut(new Set(jobs.items.map(({ metadata }) => metadata.uid)));
    return listAttempts(jobs.items, pods.items);
  }

  /** Records a Job that the apiserver just returned; such an answer counts as a read of it. */
  remember(job: Job): Memory {
    this.#cache.put(job);
    const { uid } = job.metadata;
    const memory = this.#memories.get(uid) ?? { readAt: 0, events: [], eventsAt: 0, settled: false };
    memory.readAt = Date.now();
    this.#memories.set(uid, memory);
    return memory;
  }

  forget(uid: string): void {
    this.#memories.delete(uid);
  }

  /** Reads the Job. Only the pods of a Complete Job may come from the cache, since they cannot change any more. */
  async #observeAnew(name: string, uid: string | null): Promise<Observation> {
    const job = await this.#client.readJob(name);
    if (!job || (uid !== null && job.metadata.uid !== uid)) {
      if (uid !== null) this.#cache.drop(uid);
      return { state: 'absent' };
    }
    const memory = this.remember(job);
    const settled = settledPods(job, this.#cache);
    memory.settled = settled !== undefined;
    const pods = settled ?? (await this.#client.listPods(`${JOB_UID_LABEL}=${job.metadata.uid}`)).items;
    const events = settled ? [] : await this.#recentEvents(job, pods, memory);
    return observeJob({ job, pods, events });
  }

  /** Events cost one call per object, so they are read only for a Job that does not run as expected. */
  async #recentEvents(job: Job, pods: readonly Pod[], memory: Memory): Promise<Event[]> {
    const late = Date.now() - Date.parse(job.metadata.creationTimestamp) > EVENTS_AFTER_MS;
    const started = pods.some(({ status }) => status?.phase !== undefined && status.phase !== 'Pending');
    const wanted = trueCondition(job, 'Failed') ? pods.length === 0 : late && !started;
    if (!wanted || Date.now() - memory.eventsAt < EVENTS_EVERY_MS) return memory.events;
    const uids = [job.metadata.uid, ...pods.map((pod) => pod.metadata.uid)];
    memory.events = (await Promise.all(uids.map((of) => this.#client.listEvents(of)))).flat();
    memory.eventsAt = Date.now();
    return memory.events;
  }

  /** Forgets Jobs that another worker concluded, but none that may be younger than the listing. */
  #forgetAllBut(uids: ReadonlySet<string>): void {
    for (const [uid, { readAt }] of this.#memories)
      if (!uids.has(uid) && Date.now() - readAt > 2 * REREAD_MS) this.#memories.delete(uid);
  }

  /** All steps of a job, if the watch is healthy and each was read as Complete with its one pod ended. */
  #settledJobs(jobUid: string): Listed[] | undefined {
    const cache = this.#cache;
    if (!cache.healthy()) return undefined;
    const jobs = [...cache.jobs()].filter(({ metadata }) => isOfJob(metadata, jobUid));
    const settled = jobs.every(({ metadata }) => this.#memories.get(metadata.uid)?.settled === true);
    if (jobs.length === 0 || !settled) return undefined;
    return listAttempts(
      jobs,
      jobs.flatMap((job) => cache.pods(job.metadata.uid)),
    );
  }
}

/** The one pod of a Complete Job from the cache, if nothing of it can change any more; else undefined. */
function settledPods(job: Job, cache: JobCache): Pod[] | undefined {
  if (!cache.healthy() || !trueCondition(job, 'Complete')) return undefined;
  const { active = 0, terminating = 0, succeeded = 0 } = job.status ?? {};
  const pods = cache.pods(job.metadata.uid);
  const oneEnded = pods.length === 1 && !pods.some(isLive);
  return active === 0 && terminating === 0 && succeeded === 1 && oneEnded ? pods : undefined;
}
