/** Determines why a Kubernetes Job failed, from its last pod, its conditions and its events. Pure. */
import type { Diagnosis } from '../../../domain/outcome.ts';
import { wholeEnd } from '../../exit-diagnosis.ts';
import type { StepEnd } from '../../runner.ts';
import { disruptionOf, podDeleted, podGone, statusLost } from './disruptions.ts';
import { failedUnexplained, initFailed, neverHadPod, outOfMemory, sidecarFailed } from './pod-failures.ts';
import { reasonAndMessage, newestEvent, ourContainer } from './job-status.ts';
import {
  type Condition,
  CONTAINER,
  type ContainerStatus,
  type Event,
  type Job,
  type Pod,
  type Terminated,
} from '../apiserver/types.ts';

/** 128 + SIGKILL and 128 + SIGTERM, by the convention of shells and container runtimes. */
const KILLED = 137;
const TERMINATED = 143;

export function endFromPod(job: Job, failed: Condition, pod: Pod): StepEnd {
  const terminated = ourContainer(pod)?.state?.terminated;
  if (terminated?.reason === 'OOMKilled') return diagnosed(outOfMemory(pod, terminated));
  if (failed.reason === 'DeadlineExceeded' || pod.status?.reason === 'DeadlineExceeded')
    return { kind: 'deadline' };
  const disruption = disruptionOf(pod);
  if (disruption) return diagnosed(disruption);
  if (terminated) return endOfProgram(job, failed, pod, terminated);
  const init = pod.status?.initContainerStatuses?.find(hasFailed);
  if (init) return diagnosed(initFailed(pod, init));
  if (pod.metadata.deletionTimestamp !== undefined) return diagnosed(podDeleted(pod));
  return diagnosed(failedUnexplained(job, failed, pod));
}

function endOfProgram(job: Job, failed: Condition, pod: Pod, terminated: Terminated): StepEnd {
  const { exitCode, reason } = terminated;
  if (reason === 'ContainerStatusUnknown') return diagnosed(statusLost(pod, terminated));
  if (reason === 'StartError' || reason === 'ContainerCannotRun')
    return {
      kind: 'not_started',
      detail: reasonAndMessage({ reason, message: terminated.message?.trim() || undefined }),
    };
  const message = wholeEnd(terminated.message ?? '').trim() || undefined; // the end of the log
  if (exitCode === 0) {
    const sidecar = [
      ...(pod.status?.containerStatuses ?? []),
      ...(pod.status?.initContainerStatuses ?? []),
    ].find((status) => status.name !== CONTAINER && hasFailed(status));
    return diagnosed(sidecar ? sidecarFailed(pod, sidecar) : failedUnexplained(job, failed, pod));
  }
  // The pod was deleted from outside and died of it: the Job controller deletes no pod before its Job has ended.
  if (pod.metadata.deletionTimestamp !== undefined && (exitCode === KILLED || exitCode === TERMINATED))
    return diagnosed(podDeleted(pod));
  return exitCode === KILLED
    ? { kind: 'killed', signal: 'SIGKILL', message }
    : { kind: 'exited', exitCode, message };
}

function hasFailed(status: ContainerStatus): boolean {
  const exitCode = status.state?.terminated?.exitCode;
  return exitCode !== undefined && exitCode !== 0;
}

/** With backoffLimit 0, a deleted pod leaves a Failed Job and no second pod. */
export function endWithoutPod(job: Job, failed: Condition, events: readonly Event[]): StepEnd {
  const created = newestEvent(job, events, ['SuccessfulCreate']);
  if (failed.reason !== 'DeadlineExceeded') return exitIn(failed) ?? diagnosed(podGone(job, failed, created));
  const refused = newestEvent(job, events, ['FailedCreate']);
  return refused && !created ? diagnosed(neverHadPod(refused)) : { kind: 'deadline' };
}

/** Reads the exit code that a pod failure policy writes into the Job's condition, where it outlives the pod. */
function exitIn(failed: Condition): StepEnd | undefined {
  const [, container, code] =
    /^Container (\S+) for pod \S+ failed with exit code (\d+) /.exec(failed.message ?? '') ?? [];
  if (container !== CONTAINER || code === undefined) return undefined;
  const exitCode = Number(code);
  return exitCode === KILLED ? { kind: 'killed', signal: 'SIGKILL' } : { kind: 'exited', exitCode };
}

function diagnosed(diagnosis: Diagnosis): StepEnd {
  return { kind: 'diagnosed', diagnosis };
}
