/**
 * Names derived from a job: workflow id, step name, labels. Pure functions of the row: every process finds the same
 * object by the same name, at any time.
 */
import type { Key } from './job.ts';

/** Targets, envs and names of actions: valid as a Kubernetes label and a DNS label. */
export const NAME_PATTERN = /^[a-z0-9]([-_a-z0-9]{0,38}[a-z0-9])?$/;
/** The same for names that only external executors see (RUNNER=external): microdata's names are upper-case. */
export const EXTERNAL_TARGET_PATTERN = /^[A-Za-z0-9][-_A-Za-z0-9]{0,99}$/;
export const EXTERNAL_ACTION_PATTERN = /^[A-Za-z0-9][-_A-Za-z0-9]{0,39}$/;
/** Image tags by Docker's own rule (distribution/reference): word character, then up to 127 of [\w.-]; or a digest. */
export const TAG_PATTERN = /^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|sha256:[0-9a-f]{64})$/;

/** @param tag matches TAG_PATTERN */
export function imageOf(repository: string, tag: string): string {
  return tag.startsWith('sha256:') ? `${repository}@${tag}` : `${repository}:${tag}`;
}

/** The workflow that serves a key. Temporal keeps at most one of an id open, so no two runs of a key overlap. */
export function workflowId(key: Key): string {
  return `syncrator/${key.env}/${key.target}`;
}

/** The schedule of one params file. */
export function scheduleId(input: Key & { action: string }): string {
  return `${input.env}.${input.target}.${input.action}`;
}

/**
 * Name of the Secret and of the ConfigMap with a key's source and sink settings. A DNS label has no `_`, so `-`
 * replaces it. The process runner reads `settingsFile` instead.
 */
export function settingsKey(key: Key): string {
  return `${key.env}-${key.target}`.replaceAll('_', '-');
}

/** Path of a key's source and sink settings below the data folder (runner process). */
export function settingsFile(key: Key): string {
  return `envtarget/${key.env}-${key.target}.env`;
}

/**
 * Name of a step's Kubernetes Job or run folder: at most 52 characters, `[a-z0-9-]`; the same for every try to
 * create an attempt, and never used again.
 */
export function stepName(input: { uid: string; step: number; attempt: number; action: string }): string {
  const action = input.action
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 20);
  return `syn-${action}-${jobPart(input.uid)}-${input.step}-${input.attempt}`.replace(/--+/g, '-');
}

/** The part of a step's name that identifies its job: 16 hex digits of the uid, 64 bits of a random UUID. */
export function jobPart(uid: string): string {
  const hex = uid.replace(/-/g, '');
  return `${hex.slice(0, 8)}${hex.slice(-8)}`;
}

/** The labels of every step, for all runners. */
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

/** True if both describe the same attempt at the same work: then a runner may adopt what it finds under the name. */
export function isSameAttempt(one: StepLabels, other: StepLabels): boolean {
  return (
    one.installation === other.installation &&
    one.jobUid === other.jobUid &&
    one.step === other.step &&
    one.attempt === other.attempt &&
    one.specHash === other.specHash
  );
}

/** Describes the attempt to an operator. */
export function describeAttempt({ jobId, jobUid, step, attempt }: StepLabels): string {
  return `job ${jobId} (${jobUid}) step ${step} attempt ${attempt}`;
}
