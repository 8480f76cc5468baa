/** Determines what a pod does or waits for while its Job has not ended. Pure. */
import { cut } from '../../../domain/outcome.ts';
import type { Observation } from '../../runner.ts';
import { explainExit } from '../../exit-diagnosis.ts';
import { imagePull, imageUser, invalidImage, sidecarLingers } from './pod-failures.ts';
import { eventTime, reasonAndMessage, isLive, newestEvent, ourContainer } from './job-status.ts';
import {
  CONTAINER,
  type ContainerStatus,
  type Event,
  type Pod,
  type Terminated,
} from '../apiserver/types.ts';

/** Allows for a brief outage of the registry; a missing tag would never appear by itself. */
const IMAGE_PULL_SECONDS = 45;
const IMAGE_USER_SECONDS = 10;
/** A sidecar that ends after the program does so within its grace period. */
const SIDECAR_SECONDS = 60;

const IMAGE_TROUBLE = [
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
];
/** Waiting reasons of a normal start. */
const ON_ITS_WAY = ['ContainerCreating', 'PodInitializing'];

const VOLUME_TROUBLE = ['FailedMount', 'FailedAttachVolume', 'FailedMapVolume'];
const SANDBOX_TROUBLE = ['FailedCreatePodSandBox'];
/** Events that follow once volumes and sandbox are ready. */
const PROGRESS = ['Pulling', 'Pulled', 'Created', 'Started'];

const RUNNING: Observation = { state: 'running' };
const STARTING: Observation = { state: 'starting' };

export function observePod(pod: Pod, events: readonly Event[]): Observation {
  // The pod has ended and the Job's condition follows: never report waiting again.
  if (!isLive(pod)) return RUNNING;
  const state = ourContainer(pod)?.state;
  if (state?.terminated) return afterOurs(pod, state.terminated) ?? RUNNING;
  if (state?.running) return RUNNING;
  // Phase Unknown means a lost node, where the pod may still run; a stalled job is reported elsewhere.
  if (!state?.waiting && (pod.status?.phase === 'Running' || pod.status?.phase === 'Unknown')) return RUNNING;
  return (
    notScheduled(pod) ??
    initTrouble(pod, events) ??
    ourTrouble(pod, events) ??
    podTrouble(pod, events) ??
    STARTING
  );
}

/** Reports an injected container that keeps the pod, and with it the target, busy after the program has ended. */
function afterOurs(pod: Pod, terminated: Terminated): Observation | undefined {
  const sidecar = pod.status?.containerStatuses?.find(
    ({ name, state }) => name !== CONTAINER && !state?.terminated,
  );
  if (!sidecar) return undefined;
  const { exitCode, message } = terminated;
  const explained = explainExit(exitCode, undefined, { logEnd: message });
  const diagnosis = explained.kind === 'failed' ? explained.diagnosis : sidecarLingers(pod, sidecar);
  return {
    ...waiting(
      'sidecar',
      `The program has ended with exit code ${exitCode}, but container '${sidecar.name}' still runs.`,
    ),
    giveUp: {
      afterSeconds: SIDECAR_SECONDS,
      diagnosis,
      ...(explained.kind === 'failed' ? { end: { kind: 'exited', exitCode, message } } : {}),
    },
  };
}

function notScheduled(pod: Pod): Observation | undefined {
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status !== 'False') return undefined;
  return waiting(
    scheduled.reason === 'SchedulingGated' ? 'scheduling_gated' : 'unschedulable',
    reasonAndMessage(scheduled),
  );
}

/** Reports init containers that fail or wait; only admission webhooks of the cluster add them. */
function initTrouble(pod: Pod, events: readonly Event[]): Observation | undefined {
  for (const status of pod.status?.initContainerStatuses ?? []) {
    const of = `Init container '${status.name}': `;
    const image = imageTrouble(pod, status, events, of);
    if (image) return image;
    const { waiting: waits, terminated } = status.state ?? {};
    if (terminated && terminated.exitCode !== 0)
      return waiting('init', `${of}exit code ${terminated.exitCode}: ${reasonAndMessage(terminated)}`);
    if (waits?.reason !== undefined && !ON_ITS_WAY.includes(waits.reason))
      return waiting('init', `${of}${reasonAndMessage(waits)}`);
  }
  return undefined;
}

function ourTrouble(pod: Pod, events: readonly Event[]): Observation | undefined {
  const status = ourContainer(pod);
  const waits = status?.state?.waiting;
  if (!status || waits?.reason === undefined || ON_ITS_WAY.includes(waits.reason)) return undefined;
  const image = imageTrouble(pod, status, events, '');
  if (image) return image;
  const detail = reasonAndMessage(waits);
  if (waits.reason !== 'CreateContainerConfigError') return waiting('start_error', detail);
  // A missing Secret may still be created; the user of an image does not change.
  return detail.includes('runAsNonRoot and image')
    ? {
        ...waiting('config_error', detail),
        giveUp: { afterSeconds: IMAGE_USER_SECONDS, diagnosis: imageUser(detail) },
      }
    : waiting('config_error', detail);
}

function imageTrouble(
  pod: Pod,
  status: ContainerStatus,
  events: readonly Event[],
  of: string,
): Observation | undefined {
  const waits = status.state?.waiting;
  if (waits?.reason === 'InvalidImageName') {
    const detail = of + reasonAndMessage(waits);
    return {
      ...waiting('image_pull', detail),
      giveUp: { afterSeconds: 0, diagnosis: invalidImage(status, detail) },
    };
  }
  if (waits?.reason === undefined || !IMAGE_TROUBLE.includes(waits.reason)) return undefined;
  // Older clusters report the registry's answer only in an event, and in the status only the back-off.
  const answers = events.filter(({ message }) => message?.startsWith('Failed to pull image'));
  const answer = waits.message?.includes(': ') ? undefined : newestEvent(pod, answers, ['Failed'])?.message;
  const detail = of + [reasonAndMessage(waits), answer].filter(Boolean).join('\n');
  return {
    ...waiting('image_pull', detail),
    giveUp: { afterSeconds: IMAGE_PULL_SECONDS, diagnosis: imagePull(status, detail) },
  };
}

/** Reports volume and sandbox errors, which appear only in events; the status stays ContainerCreating. */
function podTrouble(pod: Pod, events: readonly Event[]): Observation | undefined {
  const trouble = newestEvent(pod, events, [...VOLUME_TROUBLE, ...SANDBOX_TROUBLE]);
  if (!trouble) return undefined;
  const progress = newestEvent(pod, events, PROGRESS);
  if (progress && eventTime(progress) > eventTime(trouble)) return undefined;
  return waiting(
    VOLUME_TROUBLE.includes(trouble.reason ?? '') ? 'volume' : 'sandbox',
    reasonAndMessage(trouble),
  );
}

function waiting(reason: string, detail: string): Extract<Observation, { state: 'waiting' }> {
  return { state: 'waiting', reason, detail: cut(detail) };
}
