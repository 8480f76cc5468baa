/** What a trigger submits: a planned job with its caller and its reason. */
import type { JobRequest, MetricLabels, Trigger } from '../../domain/job.ts';
import type { JobScope } from '../../domain/permission.ts';
import type { Origin } from '../access/audit.ts';
import type { Idempotency } from './idempotency.ts';

export type Submission = JobRequest & {
  /** Chosen by the caller: submitting the same uid again finds the same job, whatever its status. */
  readonly uid: string;
  readonly trigger: Trigger;
  /** Display name of the caller. */
  readonly requestedBy: string;
  /** The default is the job's own target and action. */
  readonly counted?: MetricLabels | undefined;
  /** A job can be resumed once. */
  readonly resumes?: { readonly jobId: number; readonly skippedSteps: number } | undefined;
  readonly idempotency?: Idempotency | undefined;
  /** Do not deduplicate: treat an active job with the same parameters as busy. */
  readonly alone?: boolean | undefined;
  /** PROMOTE_FROM does not count: an admin has said so. */
  readonly unpromoted?: boolean | undefined;
  /** Whether the caller's rights include a remembered start that this one would replace; absent: all. */
  readonly mayReplace?: ((remembered: JobScope) => boolean) | undefined;
  /** Origin of the call, for the audit. */
  readonly origin?: Origin | undefined;
};
