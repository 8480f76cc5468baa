/** Diagnoses of what a pod or its containers did wrong, in words an operator can act on. Pure. */
import type { Diagnosis } from '../../domain/outcome.ts';
import { diagnosis } from '../exit-diagnosis.ts';
import { eventsCommand, inItsWords, ourContainer } from './look.ts';
import {
  type Condition,
  CONTAINER,
  type ContainerStatus,
  type Event,
  type Job,
  type Pod,
  type Terminated,
} from './objects.ts';

const EXEMPT = 'exempt our pods from its injection (labels or annotations in POD_OVERRIDES)';

export function outOfMemory(pod: Pod, terminated: Terminated): Diagnosis {
  const limit = pod.spec?.containers?.find(({ name }) => name === CONTAINER)?.resources?.limits?.['memory'];
  return diagnosis(
    {
      code: 'oom',
      summary:
        limit === undefined
          ? 'The program, or a process of it, was killed for its use of memory.'
          : `The program, or a process of it, used more than its memory limit of ${limit} and was killed.`,
      what_to_do:
        limit === undefined
          ? 'Set MEMORY in the params file to what it needs, so that a node with room is chosen.'
          : `Raise MEMORY in the params file above ${limit}, or have the program hold less at once.`,
    },
    ended(CONTAINER, terminated) +
      (terminated.exitCode === 0
        ? '\nIt ended as if all were well; whether its work is whole is not known.'
        : ''),
  );
}

export function initFailed(pod: Pod, init: ContainerStatus): Diagnosis {
  return diagnosis(
    {
      code: 'init_failed',
      summary: `Init container '${init.name}', added by an admission of the cluster, failed; the program never started.`,
      what_to_do: `Mend what the detail names (${eventsCommand(pod)} may tell more), or ${EXEMPT}.`,
    },
    ended(init.name, init.state?.terminated),
  );
}

const NATIVE_SIDECAR =
  'Have that container injected as a native sidecar (an init container with restartPolicy Always), whose end does ' +
  `not count, or ${EXEMPT}. Then start the job again.`;

/** Kubernetes alone says what succeeded, and for it a pod is not over while one of its containers is not. */
export function sidecarLingers(pod: Pod, sidecar: ContainerStatus): Diagnosis {
  return diagnosis(
    {
      code: 'sidecar_lingers',
      summary: `The program itself ended well, but container '${sidecar.name}' beside it does not end, and so the Kubernetes Job never completes.`,
      what_to_do: NATIVE_SIDECAR,
    },
    ended(CONTAINER, ourContainer(pod)?.state?.terminated),
  );
}

/** For Kubernetes one failed container fails the pod. */
export function sidecarFailed(pod: Pod, sidecar: ContainerStatus): Diagnosis {
  return diagnosis(
    {
      code: 'sidecar_failed',
      summary: `The program itself ended well, but container '${sidecar.name}' beside it failed, and the Kubernetes Job with it.`,
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
      summary: 'Kubernetes counts the Job as failed, and does not say by what.',
      what_to_do: `See ${eventsCommand(job)} and ${eventsCommand(pod)}, within the hour; start the job again.`,
    },
    [inItsWords(failed), pod.status?.message, terminated && ended(CONTAINER, terminated)]
      .filter(Boolean)
      .join('\n'),
  );
}

export function imagePull(status: ContainerStatus, detail: string): Diagnosis {
  return diagnosis(
    {
      code: 'image_pull',
      // The kubelet copies it from the specification while the container waits.
      summary: `The image ${status.image ?? `of container '${status.name}'`} could not be pulled.`,
      what_to_do: imageAdvice(
        status,
        'Check IMAGE in the params file, or the tag (is_tag); that the nodes reach the registry; and, for a private ' +
          'one, that imagePullSecrets in POD_OVERRIDES names a secret for it.',
      ),
    },
    detail,
  );
}

export function invalidImage(status: ContainerStatus, detail: string): Diagnosis {
  return diagnosis(
    {
      code: 'invalid_image',
      summary: 'The name of the image is not one that Kubernetes can read.',
      what_to_do: imageAdvice(status, 'Correct IMAGE in the params file, or the tag (is_tag).'),
    },
    detail,
  );
}

function imageAdvice(status: ContainerStatus, ours: string): string {
  return status.name === CONTAINER
    ? ours
    : `An admission of the cluster added container '${status.name}': mend what it adds, or ${EXEMPT}.`;
}

/** runAsNonRoot is checked against the image's user, and neither changes while the pod waits. */
export function imageUser(detail: string): Diagnosis {
  return diagnosis(
    {
      code: 'image_user',
      summary: 'The image would run as root, or as a user whose number it does not say; that is not allowed.',
      what_to_do:
        'Give the image a USER that is a number other than 0, or set runAsUser in POD_OVERRIDES of the params file.',
    },
    detail,
  );
}

/** The worker was away, or it would have ended the step by START_TIMEOUT itself. */
export function neverHadPod(refused: Event): Diagnosis {
  return diagnosis(
    {
      code: 'start_timeout',
      summary: 'No pod of the Kubernetes Job could be created before its deadline.',
      what_to_do: 'Mend what the detail names, or raise START_TIMEOUT in the params file.',
    },
    inItsWords(refused),
  );
}

function ended(name: string, terminated: Terminated | undefined): string {
  return terminated
    ? `Container '${name}': exit code ${terminated.exitCode}, ${inItsWords(terminated)}`
    : `Container '${name}'`;
}
