/** What ended a pod, or kept it from running, from outside: the cluster's words for it, and ours. Pure. */
import type { Diagnosis } from '../../domain/outcome.ts';
import { diagnosis, disruption } from '../exit-diagnosis.ts';
import { holds, inItsWords, kubectl, ourContainer } from './look.ts';
import { type Condition, CONTAINER, type Event, type Job, type Pod, type Terminated } from './objects.ts';

/** Reasons of a pod's condition DisruptionTarget. */
const TARGETED: Readonly<Record<string, string>> = {
  PreemptionByScheduler: 'The scheduler ended the pod to make room for one of higher priority.',
  DeletionByTaintManager:
    'The pod was removed because its node is tainted: out of reach, not ready or drained.',
  DeletionByDeviceTaintManager: 'The pod was removed because a device that it used is tainted.',
  EvictionByEvictionAPI: 'The pod was evicted through the eviction API, as draining a node does.',
  DeletionByPodGC: 'The pod was removed because its node no longer exists.',
  TerminationByKubelet: 'The node ended the pod.',
};

/** Words of the kubelet for a pod that it ended or would not have. */
const KUBELET: Readonly<Record<string, string>> = {
  Evicted: 'The node ran short of a resource and evicted the pod.',
  Terminated: 'The node was shut down and ended the pod.',
  Shutdown: 'The node was shut down and ended the pod.',
  NodeShutdown: 'The node was shutting down and refused the pod.',
  NodeLost: 'The node of the pod was lost.',
  Preempting: 'The node ended the pod to make room for one that is critical to the cluster.',
  NodeAffinity: 'The node refused the pod: its labels are not, or no longer, those that the pod asks for.',
  UnexpectedAdmissionError: 'The node refused the pod: it could not give it what it asks for.',
};

/** The kubelet's message for what went beyond a limit of its own, whatever state the node was in. */
const OWN_STORAGE =
  /exceeded its local ephemeral storage limit|ephemeral local storage usage exceeds|Usage of EmptyDir volume/;
const OVER_REQUEST = new RegExp(
  `Container ${CONTAINER} was using (\\S+), request is (\\S+), has larger consumption of (\\S+?)\\.`,
);

/** Of a pod that failed: what from outside it failed by, if that is why. */
export function disruptionOf(pod: Pod): Diagnosis | undefined {
  const target = holds(pod, 'DisruptionTarget');
  const { reason, message = '' } = pod.status ?? {};
  if (!target && reason === undefined) return undefined;
  const detail = evidence(pod, target);
  if (reason === 'Evicted' && OWN_STORAGE.test(message))
    return diagnosis(
      {
        code: 'storage_limit',
        summary: 'The pod wrote more to the disk of its node than its limit allows, and was evicted for it.',
        what_to_do:
          'Have the program write less to local disk, or raise the limit that the detail names; ' +
          `'${kubectl('describe limitrange', pod)}' shows the namespace's.`,
      },
      detail,
    );
  const over = reason === 'Evicted' ? OVER_REQUEST.exec(message) : null;
  if (over) {
    const [, used = '', requested = '', resource = ''] = over;
    return disruption(
      `The node ran short of ${resource} and evicted the pod, which used more of it (${used}) than it had requested (${requested}).`,
      detail,
      resource === 'memory'
        ? `Raise MEMORY in the params file to more than ${used}, so that a node with room is chosen.`
        : 'Have the program use less of it.',
    );
  }
  return disruption(sentence(reason, target), detail);
}

function sentence(reason: string | undefined, target: Condition | undefined): string {
  const lacking = /^OutOf(.+)$/.exec(reason ?? '')?.[1];
  if (lacking !== undefined)
    return `The node refused the pod: by then it had not enough ${lacking} left for it.`;
  return (
    KUBELET[reason ?? ''] ??
    TARGETED[target?.reason ?? ''] ??
    `The cluster ended or refused the pod (${reason ?? target?.reason ?? 'DisruptionTarget'}).`
  );
}

export function podGone(job: Job, failed: Condition, created: Event | undefined): Diagnosis {
  return disruption(
    'The pod was deleted by somebody, or together with its node, before it could be seen how it ended.',
    [inItsWords(failed), created && inItsWords(created)].filter(Boolean).join('\n'),
    `'${kubectl('get events', job)}' may tell more, within the hour.`,
  );
}

export function podDeleted(pod: Pod): Diagnosis {
  return disruption('The pod was deleted by somebody before it had ended.', evidence(pod, undefined));
}

export function statusLost(pod: Pod, terminated: Terminated): Diagnosis {
  return disruption(
    'The node lost track of the container, as after a crash or restart of the node; how it ended is not known.',
    `${inItsWords(terminated)}${on(pod)}`,
  );
}

function evidence(pod: Pod, target: Condition | undefined): string {
  const terminated = ourContainer(pod)?.state?.terminated;
  return [
    target &&
      target.message !== pod.status?.message &&
      inItsWords({ reason: `DisruptionTarget ${target.reason ?? ''}`.trim(), message: target.message }),
    inItsWords(pod.status ?? {}),
    pod.metadata.deletionTimestamp &&
      `Deleted, with its grace period until ${pod.metadata.deletionTimestamp}.`,
    terminated && `Container '${CONTAINER}': exit code ${terminated.exitCode}, ${inItsWords(terminated)}`,
    pod.spec?.nodeName && `Node: ${pod.spec.nodeName}`,
  ]
    .filter(Boolean)
    .join('\n');
}

function on(pod: Pod): string {
  return pod.spec?.nodeName === undefined ? '' : `\nNode: ${pod.spec.nodeName}`;
}
