/**
 * Names derived from a job: workflow id, step name, labels. Pure functions of the row, so that any process, at
 * any time, finds the same thing by the same name.
 */
import type { Key } from './job.ts';

/** target, env and action names: what fits a Kubernetes label and a DNS label. */
export const NAME_PATTERN = /^[a-z0-9]([-_a-z0-9]{0,38}[a-z0-9])?$/;
/** The same for what only an executor outside of us sees (RUNNER=external): microdata's names are upper-case. */
export const EXTERNAL_TARGET_PATTERN = /^[A-Za-z0-9][-_A-Za-z0-9]{0,99}$/;
export const EXTERNAL_ACTION_PATTERN = /^[A-Za-z0-9][-_A-Za-z0-9]{0,39}$/;
/** Image tags by Docker's own rule (distribution/reference): word character, then up to 127 of [\w.-]; or a digest. */
export const TAG_PATTERN = /^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|sha256:[0-9a-f]{64})$/;

/** @param tag as TAG_PATTERN has it */
export function imageOf(repository: string, tag: string): string {
  return tag.startsWith('sha256:') ? `${repository}@${tag}` : `${repository}:${tag}`;
}

/** The workflow that serves a key; at most one is open, which is what keeps two runs apart. */
export function workflowId(key: Key): string {
  return `syncrator/${key.env}/${key.target}`;
}

/** The schedule of one params file. */
export function scheduleId(input: Key & { action: string }): string {
  return `${input.env}.${input.target}.${input.action}`;
}

/**
 * Name of the Secret and ConfigMap with a key's source and sink settings: a DNS label has no `_`. The file of the process
 * runner has a name of its own (`settingsFile`).
 */
export function settingsKey(key: Key): string {
  return `${key.env}-${key.target}`.replaceAll('_', '-');
}

/** Path below the data folder of a key's source and sink settings (runner process). */
export function settingsFile(key: Key): string {
  return `envtarget/${key.env}-${key.target}.env`;
}

/**
 * Name of a step's Kubernetes Job or run folder: at most 52 characters, `[a-z0-9-]`, the same for every try to
 * create the same attempt, and never used again.
 */
export function stepName(input: { uid: string; step: number; attempt: number; action: string }): string {
  const action = input.action
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 20);
  return `syn-${action}-${jobPart(input.uid)}-${input.step}-${input.attempt}`.replace(/--+/g, '-');
}

/** The part of a step's name that is its job's alone: 16 hex digits of the uid, 64 bits of a random UUID. */
export function jobPart(uid: string): string {
  const hex = uid.replace(/-/g, '');
  return `${hex.slice(0, 8)}${hex.slice(-8)}`;
}

/** What every step of ours is labelled with, whatever the runner. */
export type StepLabels = {
  readonly installation: string;
  readonly jobId: number;
  readonly jobUid: string;
  readonly env: string;
  readonly target: string;
  readonly action: string;
  readonly step: number;
  readonly attempt: number;
  readonly specHash: string;
};

/** Whether both are the same attempt at the same work: whoever finds its own of a name may adopt it. */
export function isSameAttempt(one: StepLabels, other: StepLabels): boolean {
  return (
    one.installation === other.installation &&
    one.jobUid === other.jobUid &&
    one.step === other.step &&
    one.attempt === other.attempt &&
    one.specHash === other.specHash
  );
}

/** For an operator: which attempt it is. */
export function describeAttempt({ jobId, jobUid, step, attempt }: StepLabels): string {
  return `job ${jobId} (${jobUid}) step ${step} attempt ${attempt}`;
}
