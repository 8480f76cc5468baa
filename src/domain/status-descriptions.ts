/** Descriptions of statuses and of the reasons of `waiting` and `cancelling`, for docs/reference/statuses.md. */
import type { JobStatus } from './status.ts';

export const STATUS_DESCRIPTIONS: Readonly<Record<JobStatus, string>> = {
  queued: 'Stored; no worker has claimed it. A job of `RUNNER=external` waits for its executor.',
  waiting:
    'Held back by maintenance or by `SOURCE_LIMIT` before its claim, or by an obstacle after it; `status_reason` names it.',
  starting: 'Claimed by a workflow; its program does not run yet.',
  running: 'Its program runs. `stalled` is true while it is silent or makes no progress.',
  cancelling: 'A cancel was requested; parts of the job may still run.',
  completed: 'Every step has completed.',
  failed: 'A step failed; `diagnosis` says why and what to do.',
  deleted: 'Cancelled, and no part of it runs.',
};

export type ReasonDescription = {
  readonly names: readonly string[];
  readonly waitsFor: string;
  /** How the job ends if the obstacle stays. */
  readonly endsAs: string;
};

/** By `status_reason`; times count from the moment the obstacle is first seen. */
export const REASON_DESCRIPTIONS: readonly ReasonDescription[] = [
  { names: ['maintenance'], waitsFor: 'the end of the maintenance', endsAs: 'never' },
  {
    names: ['source_limit'],
    waitsFor:
      'a place of its source (`SOURCE_LIMIT`): `status_detail` names the jobs that have one, and those that come first',
    endsAs: 'never',
  },
  {
    names: ['earlier_run'],
    waitsFor: 'the end of an earlier run of the same target',
    endsAs: '`start_timeout`',
  },
  { names: ['quota'], waitsFor: "room in the namespace's quota", endsAs: '`start_timeout`' },
  {
    names: ['disk_full'],
    waitsFor: "room on the worker's disk (`RUNNER=process`)",
    endsAs: '`start_timeout`',
  },
  {
    names: ['unschedulable', 'scheduling_gated', 'suspended'],
    waitsFor: 'a node that fits; a gate to open; somebody to resume the Kubernetes Job',
    endsAs: '`start_timeout`',
  },
  {
    names: ['image_pull'],
    waitsFor: 'the image',
    endsAs: '`image_pull` after 45 s; `invalid_image` at once',
  },
  {
    names: ['admission'],
    waitsFor: 'the cluster to accept the pod',
    endsAs: '`admission_denied` after 10 s; `service_account_missing` after 60 s',
  },
  {
    names: ['config_error', 'volume', 'sandbox', 'start_error', 'init'],
    waitsFor: 'a Secret or ConfigMap; a volume; the node; the container; an injected init container',
    endsAs: '`start_timeout`; `image_user` after 10 s',
  },
  {
    names: ['pod_not_created'],
    waitsFor: 'the Job controller, for a reason that `status_detail` gives',
    endsAs: '`start_timeout`',
  },
  {
    names: ['being_deleted'],
    waitsFor: 'the end of a Kubernetes Job that somebody else deleted, and that a finalizer holds',
    endsAs: '`job_disappeared` after 10 s',
  },
  {
    names: ['sidecar'],
    waitsFor: 'a container beside the program that has not ended, although the program has',
    endsAs: '`sidecar_lingers`, or the diagnosis of the exit code',
  },
  { names: ['requested'], waitsFor: 'the end of the program after a cancel', endsAs: 'never' },
  {
    names: ['still_running'],
    waitsFor: 'a program that has not ended a minute after a cancel; force-delete gives up on it',
    endsAs: 'never',
  },
  {
    names: ['node_unreachable'],
    waitsFor: 'its node to confirm that the pod has ended: repair the node, or force-delete once it is off',
    endsAs: 'never: the target stays locked',
  },
  {
    names: ['removal_refused'],
    waitsFor: 'the right to remove it: `status_detail` names the Role',
    endsAs: 'never: it continues once it has the right',
  },
];
