/** What a pod whose Job has not ended is doing, or what it waits for. Pure. */
import { cut } from '../../domain/outcome.ts';
import type { Observation } from '../runner.ts';
import { explainExit } from '../exit-diagnosis.ts';
import { imagePull, imageUser, invalidImage, sidecarLingers } from './faults.ts';
import { eventTime, inItsWords, isLive, newestEvent, ourContainer } from './look.ts';
import { CONTAINER, type ContainerStatus, type Event, type Pod, type Terminated } from './objects.ts';

/** A registry may have a bad half minute; a tag that does not exist never mends. */
const IMAGE_PULL_SECONDS = 45;
const IMAGE_USER_SECONDS = 10;
/** One that ends of itself after the program does so within a grace period. */
const SIDECAR_SECONDS = 60;

const IMAGE_TROUBLE = [
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
];
/** What the kubelet says while nothing is wrong yet. */
const ON_ITS_WAY = ['ContainerCreating', 'PodInitializing'];

const VOLUME_TROUBLE = ['FailedMount', 'FailedAttachVolume', 'FailedMapVolume'];
const SANDBOX_TROUBLE = ['FailedCreatePodSandBox'];
/** Each says that volumes and sandbox are behind us. */
const PROGRESS = ['Pulling', 'Pulled', 'Created', 'Started'];

const RUNNING: Observation = { state: 'running' };
const STARTING: Observation = { state: 'starting' };

export function withPod(pod: Pod, events: readonly Event[]): Observation {
  // Over, and the Job controller has not judged yet: never back to waiting.
  if (!isLive(pod)) return RUNNING;
  const state = ourContainer(pod)?.state;
  if (state?.terminated) return afterOurs(pod, state.terminated) ?? RUNNING;
  if (state?.running) return RUNNING;
  // Unknown: its node is lost. That is shown elsewhere, as stalled; it may well run on.
  if (!state?.waiting && (pod.status?.phase === 'Running' || pod.status?.phase === 'Unknown')) return RUNNING;
  return (
    notScheduled(pod) ??
    initTrouble(pod, events) ??
    ourTrouble(pod, events) ??
    podTrouble(pod, events) ??
    STARTING
  );
}

/** Ours has ended, and what was put beside it keeps the pod, and with it the target, from being free. */
function afterOurs(pod: Pod, terminated: Terminated): Observation | undefined {
  const sidecar = pod.status?.containerStatuses?.find(
    ({ name, state }) => name !== CONTAINER && !state?.terminated,
  );
  if (!sidecar) return undefined;
  const explained = explainExit(terminated.exitCode, undefined, terminated.message);
  const diagnosis = explained.kind === 'failed' ? explained.diagnosis : sidecarLingers(pod, sidecar);
  return {
    ...waiting(
      'sidecar',
      `The program has ended with exit code ${terminated.exitCode}; container '${sidecar.name}' beside it has not.`,
    ),
    giveUp: { afterSeconds: SIDECAR_SECONDS, diagnosis },
  };
}

function notScheduled(pod: Pod): Observation | undefined {
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status !== 'False') return undefined;
  return waiting(
    scheduled.reason === 'SchedulingGated' ? 'scheduling_gated' : 'unschedulable',
    inItsWords(scheduled),
  );
}

/** Of init containers, which somebody else's admission has put there. */
function initTrouble(pod: Pod, events: readonly Event[]): Observation | undefined {
  for (const status of pod.status?.initContainerStatuses ?? []) {
    const of = `Init container '${status.name}': `;
    const image = imageTrouble(pod, status, events, of);
    if (image) return image;
    const { waiting: waits, terminated } = status.state ?? {};
    if (terminated && terminated.exitCode !== 0)
      return waiting('init', `${of}exit code ${terminated.exitCode}: ${inItsWords(terminated)}`);
    if (waits?.reason !== undefined && !ON_ITS_WAY.includes(waits.reason))
      return waiting('init', `${of}${inItsWords(waits)}`);
  }
  return undefined;
}

function ourTrouble(pod: Pod, events: readonly Event[]): Observation | undefined {
  const status = ourContainer(pod);
  const waits = status?.state?.waiting;
  if (!status || waits?.reason === undefined || ON_ITS_WAY.includes(waits.reason)) return undefined;
  const image = imageTrouble(pod, status, events, '');
  if (image) return image;
  const detail = inItsWords(waits);
  if (waits.reason !== 'CreateContainerConfigError') return waiting('start_error', detail);
  // A Secret may still come; the user of an image does not.
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
    const detail = of + inItsWords(waits);
    return {
      ...waiting('image_pull', detail),
      giveUp: { afterSeconds: 0, diagnosis: invalidImage(status, detail) },
    };
  }
  if (waits?.reason === undefined || !IMAGE_TROUBLE.includes(waits.reason)) return undefined;
  // Older clusters keep the registry's answer to the event and say only that they back off.
  const answers = events.filter(({ message }) => message?.startsWith('Failed to pull image'));
  const answer = waits.message?.includes(': ') ? undefined : newestEvent(pod, answers, ['Failed'])?.message;
  const detail = of + [inItsWords(waits), answer].filter(Boolean).join('\n');
  return {
    ...waiting('image_pull', detail),
    giveUp: { afterSeconds: IMAGE_PULL_SECONDS, diagnosis: imagePull(status, detail) },
  };
}

/** What only events tell: the status says ContainerCreating all the while. */
function podTrouble(pod: Pod, events: readonly Event[]): Observation | undefined {
  const trouble = newestEvent(pod, events, [...VOLUME_TROUBLE, ...SANDBOX_TROUBLE]);
  if (!trouble) return undefined;
  const progress = newestEvent(pod, events, PROGRESS);
  if (progress && eventTime(progress) > eventTime(trouble)) return undefined;
  return waiting(VOLUME_TROUBLE.includes(trouble.reason ?? '') ? 'volume' : 'sandbox', inItsWords(trouble));
}

function waiting(reason: string, detail: string): Extract<Observation, { state: 'waiting' }> {
  return { state: 'waiting', reason, detail: cut(detail) };
}
