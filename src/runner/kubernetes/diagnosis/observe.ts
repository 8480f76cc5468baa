/**
 * Observes a step from its Kubernetes Job, its pods and their events. Pure. Only the Job's own conditions decide whether
 * it completed; pods and events explain why not.
 */
import { cut } from '../../../domain/outcome.ts';
import type { Observation, StepEnd } from '../../runner.ts';
import { jobDeleted, outOfMemory } from './pod-failures.ts';
import { endFromPod, endWithoutPod } from './observe-end.ts';
import { observeNoPod } from './observe-no-pod.ts';
import { observePod } from './observe-pod.ts';
import { finalizersOf, trueCondition, isBeingDeleted, isLive, ourContainer, podsOf } from './job-status.ts';
import type { Event, Job, Pod } from '../apiserver/types.ts';

/** A Job with the pods and events that were read; pods and events of other objects are ignored. */
export type JobSnapshot = {
  readonly job: Job;
  readonly pods: readonly Pod[];
  readonly events: readonly Event[];
};

export function observeJob({ job, pods, events }: JobSnapshot): Observation {
  const ours = podsOf(job, pods);
  const [pod] = ours;
  const end = ours.some(isLive) ? undefined : endOf(job, pod, events);
  if (end) return { state: 'ended', end };
  if (isBeingDeleted(job) && !ours.some(isLive)) return waitsForFinalizers(job, ours);
  return pod ? observePod(pod, events) : observeNoPod(job, events);
}

/** Time in which the Job controller may still set the condition of a deleted Job whose pods have ended. */
const CONDITION_WITHIN_SECONDS = 10;

/** The Job was deleted from outside, and a finalizer still keeps its object. */
function waitsForFinalizers(job: Job, pods: readonly Pod[]): Observation {
  const held = [
    ...finalizersOf(`Kubernetes Job ${job.metadata.name}`, job.metadata),
    ...pods.flatMap(({ metadata }) => finalizersOf(`pod ${metadata.name}`, metadata)),
  ];
  const detail = ['The Kubernetes Job is being deleted, and no pod of it runs.', ...held].join('\n');
  return {
    state: 'waiting',
    reason: 'being_deleted',
    detail: cut(detail),
    giveUp: { afterSeconds: CONDITION_WITHIN_SECONDS, diagnosis: jobDeleted(detail) },
  };
}

/** Only Complete and Failed are final: FailureTarget and SuccessCriteriaMet are set while pods may still run. */
function endOf(job: Job, pod: Pod | undefined, events: readonly Event[]): StepEnd | undefined {
  if (trueCondition(job, 'Complete')) {
    const terminated = pod && ourContainer(pod)?.state?.terminated;
    // A program may ignore that its child was OOM-killed: exit code 0 and phase Succeeded after half the work.
    return pod && terminated?.reason === 'OOMKilled'
      ? { kind: 'diagnosed', diagnosis: outOfMemory(pod, terminated) }
      : { kind: 'completed' };
  }
  const failed = trueCondition(job, 'Failed');
  if (!failed) return undefined;
  return pod ? endFromPod(job, failed, pod) : endWithoutPod(job, failed, events);
}
