/**
 * The terms of the product as types. Owns no behaviour, knows no database, HTTP or Temporal.
 *
 * target: what is synchronised · env: qas, prd, dev … · action: sync, delta, delete, diff or another that
 * job_params declares · job: one requested run · step: one Kubernetes Job (or supervised process) within it ·
 * attempt: the nth try of a step.
 */

import type { JobStatus } from './status.ts';

/** Lower-case env and target, as in job_params; together they name what only one job at a time may touch. */
export type Key = { readonly env: string; readonly target: string };

export type RunnerKind = 'kubernetes' | 'process' | 'external';

/** What asked for a job; kept on the row, and it decides how a busy key is answered. */
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
 * What an action needs beside its target, as `src/job-params/action-parameters.ts` checks it; the names are those of the
 * microdata executors. Frozen in the job's row.
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

/** What is done to one dataset; a new version of the datastore consists of such. */
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

/** What a new version of a datastore consists of. */
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

/** One step as it was resolved at submit; frozen in the job's row and never recomputed. */
export type StepSpec = {
  /** What the program is asked to do: sync, delta, delete, rollback … */
  readonly action: string;
  /** The program's arguments without the program itself and without `--api_job_id`. */
  readonly args: readonly string[];
  /** Container image (runner kubernetes). */
  readonly image: string;
  /** argv[0…] of another program than ours; null = `syncrator-job`. */
  readonly command: readonly string[] | null;
  /** The program gives its exit codes meanings of its own; absent: those of `src/domain/exit-code.ts`. */
  readonly ownExitCodes?: boolean | undefined;
  /** Extra environment of the program; never a secret. */
  readonly environment: Readonly<Record<string, string>>;
  /** Seconds the program may run once started. */
  readonly timeoutSeconds: number;
  /** Seconds from launch until the program must run. */
  readonly startTimeoutSeconds: number;
  /** Seconds without a report after which a running step is shown as stalled; it is never ended for that. */
  readonly stalledAfterSeconds: number;
  /** The same of a step that reports the same again and again; absent in what an earlier version froze. */
  readonly noProgressAfterSeconds?: number | undefined;
  /** New attempts after `disrupted`, nothing else. */
  readonly retries: number;
  readonly cpu: string | null;
  readonly memory: string | null;
  readonly podOverrides: PodOverrides | null;
};

/** All that may be added to a pod of ours (runner kubernetes); everything else of it is fixed. */
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

/** A job resolved from a request and its params file, ready to be submitted. */
export type JobRequest = Key & {
  readonly parameters: JobParameters;
  readonly runner: RunnerKind;
  readonly steps: readonly StepSpec[];
  /** None for an action that needs nothing beside its target. */
  readonly actionParameters?: ActionParameters | undefined;
};

/** The job that holds a target. */
export type Holder = Key & { readonly id: number; readonly action_name: string; readonly status: JobStatus };

export function describeHolder({ id, env, target, action_name, status }: Holder): string {
  return `target '${target}' in env '${env}' is held by job ${id} (${action_name}, ${status})`;
}
