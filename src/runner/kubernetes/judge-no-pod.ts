/**
 * Why a Job has no pod yet. Kubernetes takes a Job whose pod it will not take, and says so in events alone
 * (faults.md rows 32 and 33). Pure.
 */
import { cut, type Diagnosis } from '../../domain/outcome.ts';
import type { Observation } from '../runner.ts';
import { admissionDenied, serviceAccountMissing } from './refusals.ts';
import { holds, newestEvent } from './look.ts';
import type { Event, Job } from './objects.ts';

/** The first refusal may be older than a change that mends it; the Job controller tries again within this. */
const DENIED_SECONDS = 10;
/** In a new namespace the account comes a moment after it. */
const ACCOUNT_SECONDS = 60;

type Verdict = {
  readonly reason: 'quota' | 'admission' | 'pod_not_created';
  readonly afterSeconds?: number;
  readonly diagnosis?: (job: Job, message: string) => Diagnosis;
};

/** The first that matches decides; what mends by itself comes before what does not. */
const VERDICTS: readonly (readonly [RegExp, Verdict])[] = [
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
const OTHER: Verdict = { reason: 'pod_not_created' };

export function withoutPod(job: Job, events: readonly Event[]): Observation {
  if (job.spec?.suspend === true)
    return {
      state: 'waiting',
      reason: 'suspended',
      detail: 'The Kubernetes Job is suspended: by a queue such as Kueue, or by somebody.',
    };
  // It had its pod; the end is being judged, and older events explain nothing any more.
  if (holds(job, 'FailureTarget') || holds(job, 'SuccessCriteriaMet')) return { state: 'starting' };
  const message = newestEvent(job, events, ['FailedCreate'])?.message;
  if (message === undefined) return { state: 'starting' };
  const { reason, afterSeconds, diagnosis } = VERDICTS.find(([text]) => text.test(message))?.[1] ?? OTHER;
  return {
    state: 'waiting',
    reason,
    detail: cut(message),
    ...(afterSeconds !== undefined &&
      diagnosis && { giveUp: { afterSeconds, diagnosis: diagnosis(job, message) } }),
  };
}
