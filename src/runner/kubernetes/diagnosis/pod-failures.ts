/** Diagnoses of pods and containers that failed or cannot start. Pure. */
import type { Diagnosis } from '../../../domain/outcome.ts';
import { diagnosis } from '../../exit-diagnosis.ts';
import { eventsCommand, reasonAndMessage, ourContainer } from './job-status.ts';
import {
  type Condition,
  CONTAINER,
  type ContainerStatus,
  type Event,
  type Job,
  type Pod,
  type Terminated,
} from '../apiserver/types.ts';

const EXEMPT = 'exempt our pods from its injection (labels or annotations in POD_OVERRIDES)';

export function outOfMemory(pod: Pod, terminated: Terminated): Diagnosis {
  const limit = pod.spec?.containers?.find(({ name }) => name === CONTAINER)?.resources?.limits?.['memory'];
  return diagnosis(
    {
      code: 'oom',
      summary:
        limit === undefined
          ? 'The program, or a child process, was killed for using too much memory.'
          : `The program, or a child process, exceeded its memory limit of ${limit} and was killed.`,
      what_to_do:
        limit === undefined
          ? 'Set MEMORY in the params file to the memory that the program needs, so that the scheduler picks a node with enough.'
          : `Raise MEMORY in the params file above ${limit}, or have the program hold less data in memory.`,
    },
    ended(CONTAINER, terminated) +
      (terminated.exitCode === 0
        ? '\nThe program reported success nevertheless; its work may be incomplete.'
        : ''),
  );
}

export function initFailed(pod: Pod, init: ContainerStatus): Diagnosis {
  return diagnosis(
    {
      code: 'init_failed',
      summary: `Init container '${init.name}', added by an admission webhook of the cluster, failed; the program never started.`,
      what_to_do: `Fix the error in the detail (${eventsCommand(pod)} may show more), or ${EXEMPT}.`,
    },
    ended(init.name, init.state?.terminated),
  );
}

const NATIVE_SIDECAR =
  'Inject that container as a native sidecar (an init container with restartPolicy Always), which does not count for ' +
  `the outcome, or ${EXEMPT}. Then start the job again.`;

/** For Kubernetes, a pod has not ended while one of its containers runs. */
export function sidecarLingers(pod: Pod, sidecar: ContainerStatus): Diagnosis {
  return diagnosis(
    {
      code: 'sidecar_lingers',
      summary: `The program succeeded, but container '${sidecar.name}' in its pod does not end, so the Kubernetes Job never completes.`,
      what_to_do: NATIVE_SIDECAR,
    },
    ended(CONTAINER, ourContainer(pod)?.state?.terminated),
  );
}

/** For Kubernetes, one failed container fails the pod. */
export function sidecarFailed(pod: Pod, sidecar: ContainerStatus): Diagnosis {
  return diagnosis(
    {
      code: 'sidecar_failed',
      summary: `The program succeeded, but container '${sidecar.name}' in its pod failed, and with it the Kubernetes Job.`,
      what_to_do: NATIVE_SIDECAR,
    },
    [
      ended(CONTAINER, ourContainer(pod)?.state?.terminated),
      ended(sidecar.name, sidecar.state?.terminated),
    ].join('\n'),
  );
}

export function failedUnexplained(job: Job, failed: Condition, pod: Pod): Diagnosis {
  const terminated = ourContainer(pod)?.state?.terminated;
  return diagnosis(
    {
      code: 'job_failed',
      summary: 'Kubernetes reports the Job as failed without a cause.',
      what_to_do: `Run ${eventsCommand(job)} and ${eventsCommand(pod)} within the hour, then start the job again.`,
    },
    [reasonAndMessage(failed), pod.status?.message, terminated && ended(CONTAINER, terminated)]
      .filter(Boolean)
      .join('\n'),
  );
}

export function imagePull(status: ContainerStatus, detail: string): Diagnosis {
  return diagnosis(
    {
      code: 'image_pull',
      // While the container waits, the kubelet copies the image name from the pod's spec.
      summary: `The image ${status.image ?? `of container '${status.name}'`} could not be pulled.`,
      what_to_do: imageAdvice(
        status,
        'Check IMAGE in the params file, or the tag (is_tag); that the nodes can reach the registry; and, for a private ' +
          'registry, that imagePullSecrets in POD_OVERRIDES names its secret.',
      ),
    },
    detail,
  );
}

export function invalidImage(status: ContainerStatus, detail: string): Diagnosis {
  return diagnosis(
    {
      code: 'invalid_image',
      summary: 'The name of the image is invalid.',
      what_to_do: imageAdvice(status, 'Correct IMAGE in the params file, or the tag (is_tag).'),
    },
    detail,
  );
}

function imageAdvice(status: ContainerStatus, ours: string): string {
  return status.name === CONTAINER
    ? ours
    : `An admission webhook of the cluster added container '${status.name}': fix that webhook, or ${EXEMPT}.`;
}

/** The kubelet checks runAsNonRoot against the image's user; neither changes while the pod waits. */
export function imageUser(detail: string): Diagnosis {
  return diagnosis(
    {
      code: 'image_user',
      summary: 'The image would run as root or as a user without a number, which runAsNonRoot forbids.',
      what_to_do:
        'Give the image a USER that is a number other than 0, or set runAsUser in POD_OVERRIDES of the params file.',
    },
    detail,
  );
}

/** Used when no worker ran at START_TIMEOUT; a running one would have ended the step itself. */
export function neverHadPod(refused: Event): Diagnosis {
  return diagnosis(
    {
      code: 'start_timeout',
      summary: 'No pod of the Kubernetes Job could be created before its deadline.',
      what_to_do: 'Fix the error in the detail, or raise START_TIMEOUT in the params file.',
    },
    reasonAndMessage(refused),
  );
}

/** Used for a deleted Job that a finalizer keeps: like a missing Job, its outcome is unknown. */
export function jobDeleted(detail: string): Diagnosis {
  return diagnosis(
    {
      code: 'job_disappeared',
      summary:
        'The Kubernetes Job was deleted before its outcome was observed; it does not count as a success.',
      what_to_do:
        "Find out who deleted it (the cluster's audit log), remove the finalizers that the detail names, and start the job again.",
    },
    detail,
  );
}

function ended(name: string, terminated: Terminated | undefined): string {
  return terminated
    ? `Container '${name}': exit code ${terminated.exitCode}, ${reasonAndMessage(terminated)}`
    : `Container '${name}'`;
}
