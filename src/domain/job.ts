/**
 * The terms of the product as types. Owns no behaviour, knows no database, HTTP or Temporal.
 *
 * target: what is synchronised · env: qas, prd, dev … · action: sync, delta, delete, diff or another that
 * job_params declares · job: one requested run · step: one Kubernetes Job (or supervised process) within it ·
 * attempt: the nth try of a step.
 */

import type { QueueRule } from './queue.ts';
import type { JobStatus } from './status.ts';

/** Lower-case env and target, as in job_params. At most one active job may have this key. */
export type Key = { readonly env: string; readonly target: string };

export type RunnerKind = 'kubernetes' | 'process' | 'external';

/** The origin of a job; stored with it, and decides the answer when the key is busy. */
export type Trigger = 'api' | 'schedule' | 'cli' | 'batch' | 'hook' | 'rollback' | 'resume';

/** Two requests with equal parameters ask for the same job. */
export type JobParameters = {
  readonly action_name: string;
  readonly action: string;
  readonly is_tag: string;
  readonly options: string;
  readonly mam_main_query: string | null;
};

/**
 * The parameters that an action needs beside its target, checked by `src/job-params/action-parameters.ts`; their
 * names are those of the microdata executors. Frozen in the job's row.
 */
export type ActionParameters = {
  readonly description?: string | undefined;
  readonly releaseStatus?: ReleaseStatus | undefined;
  readonly bumpManifesto?: BumpManifesto | undefined;
  readonly bumpFromVersion?: string | undefined;
  readonly bumpToVersion?: string | undefined;
};

export const RELEASE_STATUSES = ['DRAFT', 'PENDING_RELEASE', 'PENDING_DELETE'] as const;
export type ReleaseStatus = (typeof RELEASE_STATUSES)[number];

/** The operation on one dataset; a new version of the datastore consists of such operations. */
export const DATASET_OPERATIONS = [
  'ADD',
  'CHANGE',
  'PATCH_METADATA',
  'SET_STATUS',
  'DELETE_DRAFT',
  'REMOVE',
  'ROLLBACK_REMOVE',
  'DELETE_ARCHIVE',
] as const;

/** The contents of a new version of a datastore. */
export type BumpManifesto = {
  readonly version: string;
  readonly description: string;
  readonly releaseTime: number;
  readonly languageCode: string;
  readonly updateType: string | null;
  readonly dataStructureUpdates: {
    readonly name: string;
    readonly description: string;
    readonly operation: (typeof DATASET_OPERATIONS)[number];
    readonly releaseStatus: ReleaseStatus;
  }[];
};

/** One step as resolved at submit; frozen in the job's row and never recomputed. */
export type StepSpec = {
  /** The program's action: sync, delta, delete, rollback … */
  readonly action: string;
  /** The arguments of the program, without its own name and without `--api_job_id`. */
  readonly args: readonly string[];
  /** Container image (runner kubernetes). */
  readonly image: string;
  /** Command line of a program other than ours; null = `syncrator-job`. */
  readonly command: readonly string[] | null;
  /** True if the program gives its exit codes its own meanings; absent: those of `src/domain/exit-code.ts`. */
  readonly ownExitCodes?: boolean | undefined;
  /** Extra environment of the program; never a secret. */
  readonly environment: Readonly<Record<string, string>>;
  /** Seconds that the program may run, from its start. */
  readonly timeoutSeconds: number;
  /** Seconds from launch until the program must run. */
  readonly startTimeoutSeconds: number;
  /** Seconds without a report after which a running step is shown as stalled; it continues to run. */
  readonly stalledAfterSeconds: number;
  /** The same for a step whose reports no longer change; absent in steps that an earlier version froze. */
  readonly noProgressAfterSeconds?: number | undefined;
  /** Further attempts after `disrupted`, and after no other failure. */
  readonly retries: number;
  readonly cpu: string | null;
  readonly memory: string | null;
  readonly podOverrides: PodOverrides | null;
};

/** The parts of our pods that may be configured (runner kubernetes); everything else is fixed. */
export type PodOverrides = {
  readonly annotations?: Record<string, string>;
  readonly labels?: Record<string, string>;
  readonly nodeSelector?: Record<string, string>;
  readonly tolerations?: readonly {
    key?: string;
    operator?: 'Exists' | 'Equal';
    value?: string;
    effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
    tolerationSeconds?: number;
  }[];
  readonly priorityClassName?: string;
  readonly serviceAccountName?: string;
  /** Names of Secrets. */
  readonly imagePullSecrets?: readonly string[];
  readonly runAsUser?: number;
  readonly supplementalGroups?: readonly number[];
  readonly seLinuxOptions?: { level?: string; role?: string; type?: string; user?: string };
  readonly readOnlyRootFilesystem?: boolean;
};

/** The metric labels of a job; bounded by what job_params declares. */
export type MetricLabels = { readonly target: string; readonly action: string };

/** What must have run before a start: these steps of an action, completed in the env `from` within a time. */
export type Promotion = Pick<JobParameters, 'action_name' | 'action'> & {
  readonly from: string;
  readonly withinSeconds: number;
  readonly steps: readonly StepSpec[];
};

/** A job resolved from a request and its params file, ready to be submitted. */
export type JobRequest = Key & {
  readonly parameters: JobParameters;
  readonly runner: RunnerKind;
  readonly steps: readonly StepSpec[];
  /** Absent for an action that needs nothing beside its target. */
  readonly actionParameters?: ActionParameters | undefined;
  /** The source that it reads, by the name that SOURCE_LIMIT knows; absent without a limit. */
  readonly sourceName?: string | undefined;
  /** What must have run in another env before; absent if nothing must. */
  readonly promotion?: Promotion | undefined;
  /** What happens while another job holds the key; absent: the start is refused. */
  readonly queue?: QueueRule | undefined;
};

/** The active job of a key. */
export type Holder = Key & { readonly id: number; readonly action_name: string; readonly status: JobStatus };

export function describeHolder({ id, env, target, action_name, status }: Holder): string {
  return `target '${target}' in env '${env}' is held by job ${id} (${action_name}, ${status})`;
}
