/**
 * What a Kubernetes Job, its pods and the events about them say of a step. Pure. The Job's own conditions alone decide
 * whether it completed; pods and events explain.
 */
import type { Observation, StepEnd } from '../runner.ts';
import { outOfMemory } from './faults.ts';
import { howItFailed, howItFailedWithoutPod } from './judge-end.ts';
import { withoutPod } from './judge-no-pod.ts';
import { withPod } from './judge-pod.ts';
import { holds, isLive, ourContainer, podsOf } from './look.ts';
import type { Event, Job, Pod } from './objects.ts';

/** The Job, and of its pods and of the events about it and them whatever could be had; strangers do no harm. */
export type Seen = {
  readonly job: Job;
  readonly pods: readonly Pod[];
  readonly events: readonly Event[];
};

export function judge({ job, pods, events }: Seen): Observation {
  const ours = podsOf(job, pods);
  const [pod] = ours;
  const end = ours.some(isLive) ? undefined : howItEnded(job, pod, events);
  if (end) return { state: 'ended', end };
  return pod ? withPod(pod, events) : withoutPod(job, events);
}

/** Only Complete and Failed are ends: FailureTarget and SuccessCriteriaMet come while pods may still run. */
function howItEnded(job: Job, pod: Pod | undefined, events: readonly Event[]): StepEnd | undefined {
  if (holds(job, 'Complete')) {
    const terminated = pod && ourContainer(pod)?.state?.terminated;
    // A killed child of a program that shrugs it off: exit 0, phase Succeeded, half the work (faults.md row 40).
    return pod && terminated?.reason === 'OOMKilled'
      ? { kind: 'diagnosed', diagnosis: outOfMemory(pod, terminated) }
      : { kind: 'completed' };
  }
  const failed = holds(job, 'Failed');
  if (!failed) return undefined;
  return pod ? howItFailed(job, failed, pod) : howItFailedWithoutPod(job, failed, events);
}
