/** Reads status, conditions and events of Kubernetes Jobs and pods. Pure. */
import {
  type Condition,
  CONTAINER,
  type ContainerStatus,
  type Event,
  type Job,
  JOB_UID_LABEL,
  type ObjectMeta,
  type Pod,
} from '../apiserver/types.ts';

/** The condition of this type, if its status is True. */
export function trueCondition(of: Job | Pod, type: string): Condition | undefined {
  return of.status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');
}

/** The pods of this Job (by uid), newest first. */
export function podsOf(job: Job, pods: readonly Pod[]): Pod[] {
  return pods
    .filter(({ metadata }) => metadata.labels?.[JOB_UID_LABEL] === job.metadata.uid)
    .sort((a, b) => oldestFirst(b.metadata.creationTimestamp, a.metadata.creationTimestamp));
}

/** True while a container of the pod may still run. */
export function isLive(pod: Pod): boolean {
  return pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed';
}

export function isBeingDeleted({ metadata }: Job | Pod): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/**
 * Like `isLive`, but false for a deleted pod without grace period: the kubelet sets it to 0 once the containers have
 * ended, and a force deletion sets it as well. Only a finalizer still holds the object of such a pod.
 */
export function mayRun(pod: Pod): boolean {
  return isLive(pod) && !(isBeingDeleted(pod) && pod.metadata.deletionGracePeriodSeconds === 0);
}

/** Finalizers that Kubernetes itself removes within moments. */
const OWN_FINALIZERS = ['batch.kubernetes.io/job-tracking', 'foregroundDeletion', 'orphan'];

/** Describes the foreign finalizers that keep a deleted object; empty without any. */
export function finalizersOf(what: string, { deletionTimestamp, finalizers = [] }: ObjectMeta): string[] {
  const others = finalizers.filter((finalizer) => !OWN_FINALIZERS.includes(finalizer));
  if (deletionTimestamp === undefined || others.length === 0) return [];
  return [`${what}, held by finalizer ${others.join(', ')}`];
}

/** Status of the step's container; injected containers do not decide the outcome. */
export function ourContainer(pod: Pod): ContainerStatus | undefined {
  return pod.status?.containerStatuses?.find(({ name }) => name === CONTAINER);
}

/** The newest event about this object with one of these reasons; within one second, the one listed last. */
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

/** RFC 3339 in UTC as the apiserver writes it, so that text order is time order. */
export function eventTime(event: Event): string {
  return event.lastTimestamp ?? event.firstTimestamp ?? event.metadata.creationTimestamp;
}

function oldestFirst(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Formats `Reason: message` of a condition, event or container state. */
export function reasonAndMessage(said: {
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
}): string {
  return [said.reason, said.message?.trim()].filter(Boolean).join(': ');
}

/** A kubectl command for the events of the object, which outlive it: Job and pod are deleted once the job has ended. */
export function eventsCommand(of: Job | Pod): string {
  return `'${kubectl(`get events --field-selector involvedObject.name=${of.metadata.name}`, of)}'`;
}

/** A kubectl command to paste, with the namespace of the object. */
export function kubectl(command: string, of: Job | Pod): string {
  return of.metadata.namespace === undefined
    ? `kubectl ${command}`
    : `kubectl -n ${of.metadata.namespace} ${command}`;
}
