/** Diagnoses of pods that the cluster ended or refused to run: evictions, preemptions, lost nodes, deletions. Pure. */
import type { Diagnosis } from '../../../domain/outcome.ts';
import { diagnosis, disruption } from '../../exit-diagnosis.ts';
import { trueCondition, reasonAndMessage, kubectl, ourContainer } from './job-status.ts';
import {
  type Condition,
  CONTAINER,
  type Event,
  type Job,
  type Pod,
  type Terminated,
} from '../apiserver/types.ts';

/** Summary by reason of a pod's condition DisruptionTarget. */
const TARGETED: Readonly<Record<string, string>> = {
  PreemptionByScheduler: 'The scheduler ended the pod to make room for a pod of higher priority.',
  DeletionByTaintManager:
    'The pod was removed because its node is tainted: unreachable, not ready or drained.',
  DeletionByDeviceTaintManager: 'The pod was removed because a device that it uses is tainted.',
  EvictionByEvictionAPI: 'The pod was evicted through the eviction API, as draining a node does.',
  DeletionByPodGC: 'The pod was removed because its node no longer exists.',
  TerminationByKubelet: 'The node ended the pod.',
};

/** Summary by the status reason that the kubelet gives a pod which it ended or refused. */
const KUBELET: Readonly<Record<string, string>> = {
  Evicted: 'The node ran short of a resource and evicted the pod.',
  Terminated: 'The node was shut down and ended the pod.',
  Shutdown: 'The node was shut down and ended the pod.',
  NodeShutdown: 'The node was shutting down and refused the pod.',
  NodeLost: 'The node of the pod was lost.',
  Preempting: 'The node ended the pod to make room for a pod that is critical to the cluster.',
  NodeAffinity: 'The node refused the pod: its labels do not match the node affinity of the pod.',
  UnexpectedAdmissionError: 'The node refused the pod: it could not provide the requested resources.',
};

/** The kubelet's messages for a pod that exceeded its own storage limit, whatever the state of the node. */
const OWN_STORAGE =
  /exceeded its local ephemeral storage limit|ephemeral local storage usage exceeds|Usage of EmptyDir volume/;
const OVER_REQUEST = new RegExp(
  `Container ${CONTAINER} was using (\\S+), request is (\\S+), has larger consumption of (\\S+?)\\.`,
);

/** Diagnosis of a failed pod if the cluster ended it; undefined if it failed by itself. */
export function disruptionOf(pod: Pod): Diagnosis | undefined {
  const target = trueCondition(pod, 'DisruptionTarget');
  const { reason, message = '' } = pod.status ?? {};
  if (!target && reason === undefined) return undefined;
  const detail = evidence(pod, target);
  if (reason === 'Evicted' && OWN_STORAGE.test(message))
    return diagnosis(
      {
        code: 'storage_limit',
        summary: 'The pod exceeded its limit for storage on the node and was evicted.',
        what_to_do:
          'Have the program write less to local disk, or raise the limit that the detail names; ' +
          `'${kubectl('describe limitrange', pod)}' shows the limits of the namespace.`,
      },
      detail,
    );
  const over = reason === 'Evicted' ? OVER_REQUEST.exec(message) : null;
  if (over) {
    const [, used = '', requested = '', resource = ''] = over;
    return disruption(
      `The node ran short of ${resource} and evicted the pod, which used more (${used}) than it had requested (${requested}).`,
      detail,
      resource === 'memory'
        ? `Raise MEMORY in the params file to more than ${used}, so that the scheduler picks a node with enough.`
        : `Have the program use less ${resource}.`,
    );
  }
  return disruption(sentence(reason, target), detail);
}

function sentence(reason: string | undefined, target: Condition | undefined): string {
  const lacking = /^OutOf(.+)$/.exec(reason ?? '')?.[1];
  if (lacking !== undefined) return `The node refused the pod: it had too little ${lacking} left.`;
  return (
    KUBELET[reason ?? ''] ??
    TARGETED[target?.reason ?? ''] ??
    `The cluster ended or refused the pod (${reason ?? target?.reason ?? 'DisruptionTarget'}).`
  );
}

export function podGone(job: Job, failed: Condition, created: Event | undefined): Diagnosis {
  return disruption(
    'The pod was deleted, by hand or with its node, before its outcome was observed.',
    [reasonAndMessage(failed), created && reasonAndMessage(created)].filter(Boolean).join('\n'),
    `'${kubectl('get events', job)}' may show who deleted it, for about an hour.`,
  );
}

export function podDeleted(pod: Pod): Diagnosis {
  return disruption(
    'Something other than Syncrator deleted the pod before it had ended.',
    evidence(pod, undefined),
  );
}

export function statusLost(pod: Pod, terminated: Terminated): Diagnosis {
  return disruption(
    'The node lost track of the container, as after a crash or restart of the node; its outcome is unknown.',
    `${reasonAndMessage(terminated)}${on(pod)}`,
  );
}

function evidence(pod: Pod, target: Condition | undefined): string {
  const terminated = ourContainer(pod)?.state?.terminated;
  return [
    target &&
      target.message !== pod.status?.message &&
      reasonAndMessage({ reason: `DisruptionTarget ${target.reason ?? ''}`.trim(), message: target.message }),
    reasonAndMessage(pod.status ?? {}),
    pod.metadata.deletionTimestamp && `Deleted; its grace period ends at ${pod.metadata.deletionTimestamp}.`,
    terminated &&
      `Container '${CONTAINER}': exit code ${terminated.exitCode}, ${reasonAndMessage(terminated)}`,
    pod.spec?.nodeName && `Node: ${pod.spec.nodeName}`,
  ]
    .filter(Boolean)
    .join('\n');
}

function on(pod: Pod): string {
  return pod.spec?.nodeName === undefined ? '' : `\nNode: ${pod.spec.nodeName}`;
}
