/** The questions that we ask of Kubernetes' objects. Pure. */
import {
  type Condition,
  CONTAINER,
  type ContainerStatus,
  type Event,
  type Job,
  JOB_UID_LABEL,
  type Pod,
} from './objects.ts';

/** The condition of this type, if it is True now. */
export function holds(of: Job | Pod, type: string): Condition | undefined {
  return of.status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');
}

/** The pods that this very Job made, the newest first. */
export function podsOf(job: Job, pods: readonly Pod[]): Pod[] {
  return pods
    .filter(({ metadata }) => metadata.labels?.[JOB_UID_LABEL] === job.metadata.uid)
    .sort((a, b) => oldestFirst(b.metadata.creationTimestamp, a.metadata.creationTimestamp));
}

/** Something of it may still run. */
export function isLive(pod: Pod): boolean {
  return pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed';
}

/** The container that counts; what is injected beside it decides nothing. */
export function ourContainer(pod: Pod): ContainerStatus | undefined {
  return pod.status?.containerStatuses?.find(({ name }) => name === CONTAINER);
}

/** The newest event of this object with one of these reasons; of two in one second, the one listed last. */
export function newestEvent(
  of: Job | Pod,
  events: readonly Event[],
  reasons: readonly string[],
): Event | undefined {
  return events
    .filter(
      ({ involvedObject, reason }) =>
        involvedObject.uid === of.metadata.uid && reasons.includes(reason ?? ''),
    )
    .sort((a, b) => oldestFirst(eventTime(a), eventTime(b)))
    .at(-1);
}

/** RFC 3339 in UTC, as the apiserver writes it, so that text order is time order. */
export function eventTime(event: Event): string {
  return event.lastTimestamp ?? event.firstTimestamp ?? event.metadata.creationTimestamp;
}

function oldestFirst(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** `Reason: message`, in the cluster's own words. */
export function inItsWords(said: {
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
}): string {
  return [said.reason, said.message?.trim()].filter(Boolean).join(': ');
}

/** A command about what outlives the pod and the Job: both are deleted once the job has ended. */
export function eventsCommand(of: Job | Pod): string {
  return `'${kubectl(`get events --field-selector involvedObject.name=${of.metadata.name}`, of)}'`;
}

/** A command an operator can paste. */
export function kubectl(command: string, of: Job | Pod): string {
  return of.metadata.namespace === undefined
    ? `kubectl ${command}`
    : `kubectl -n ${of.metadata.namespace} ${command}`;
}
