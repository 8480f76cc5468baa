/**
 * Determines why a Job has no pod yet. Kubernetes accepts a Job whose pod it rejects, and reports the rejection only in
 * events. Pure.
 */
import { cut, type Diagnosis } from '../../../domain/outcome.ts';
import type { Observation } from '../../runner.ts';
import { admissionDenied, serviceAccountMissing } from './admission.ts';
import { trueCondition, newestEvent } from './job-status.ts';
import type { Event, Job } from '../apiserver/types.ts';

/** A fix may follow the first rejection; the Job controller retries within this time. */
const DENIED_SECONDS = 10;
/** In a new namespace the service account is created a moment later. */
const ACCOUNT_SECONDS = 60;

type Rule = {
  readonly reason: 'quota' | 'admission' | 'pod_not_created';
  readonly afterSeconds?: number;
  readonly diagnosis?: (job: Job, message: string) => Diagnosis;
};

/** The first match decides; causes that pass by themselves come before those that do not. */
const RULES: readonly (readonly [RegExp, Rule])[] = [
  [/exceeded quota:|status unknown for quota/, { reason: 'quota' }],
  [/failed calling webhook|failed to call webhook|error calling webhook/, { reason: 'admission' }],
  [/not yet ready to handle request/, { reason: 'admission' }],
  [
    /error looking up service account .*not found/,
    { reason: 'admission', afterSeconds: ACCOUNT_SECONDS, diagnosis: serviceAccountMissing },
  ],
  [
    /violates PodSecurity|denied the request|denied request:|(minimum|maximum) .* usage per|is forbidden:| is invalid:/,
    { reason: 'admission', afterSeconds: DENIED_SECONDS, diagnosis: admissionDenied },
  ],
];
const OTHER: Rule = { reason: 'pod_not_created' };

export function observeNoPod(job: Job, events: readonly Event[]): Observation {
  if (job.spec?.suspend === true)
    return {
      state: 'waiting',
      reason: 'suspended',
      detail: 'The Kubernetes Job is suspended, by a queue such as Kueue or by hand.',
    };
  // The pod has ended and the Job's condition follows; older events no longer apply.
  if (trueCondition(job, 'FailureTarget') || trueCondition(job, 'SuccessCriteriaMet'))
    return { state: 'starting' };
  const message = newestEvent(job, events, ['FailedCreate'])?.message;
  if (message === undefined) return { state: 'starting' };
  const { reason, afterSeconds, diagnosis } = RULES.find(([text]) => text.test(message))?.[1] ?? OTHER;
  return {
    state: 'waiting',
    reason,
    detail: cut(message),
    ...(afterSeconds !== undefined &&
      diagnosis && { giveUp: { afterSeconds, diagnosis: diagnosis(job, message) } }),
  };
}
