/**
 * The fields of Kubernetes' objects that we read, as on the wire: times are RFC 3339 text in a GET, a LIST and a watch
 * alike (the client library's own types have `Date` in two of the three).
 * Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
 */

export type ObjectMeta = {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  /** For a pod being deleted: seconds between SIGTERM and SIGKILL. */
  readonly deletionGracePeriodSeconds?: number;
  readonly finalizers?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
};

/** Types for a Job: `Complete`, `Failed`, `FailureTarget` …; for a pod: `PodScheduled`, `DisruptionTarget` … */
export type Condition = {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
};

export type Job = {
  readonly metadata: ObjectMeta;
  readonly spec?: { readonly activeDeadlineSeconds?: number; readonly suspend?: boolean };
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly active?: number;
    readonly succeeded?: number;
    readonly failed?: number;
    readonly terminating?: number;
    readonly uncountedTerminatedPods?: {
      readonly succeeded?: readonly string[];
      readonly failed?: readonly string[];
    };
    readonly startTime?: string;
    readonly completionTime?: string;
  };
};

export type Terminated = {
  readonly exitCode: number;
  readonly signal?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
};

export type ContainerStatus = {
  readonly name: string;
  readonly restartCount?: number;
  readonly image?: string;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly running?: { readonly startedAt?: string };
    readonly terminated?: Terminated;
  };
};

export type Pod = {
  readonly metadata: ObjectMeta;
  readonly spec?: {
    readonly nodeName?: string;
    readonly containers?: readonly {
      readonly name: string;
      readonly image?: string;
      readonly resources?: { readonly limits?: Readonly<Record<string, string>> };
    }[];
  };
  readonly status?: {
    readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly Condition[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
};

/** core/v1 Event; `involvedObject` is the Job or pod it describes. */
export type Event = {
  readonly metadata: ObjectMeta;
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly firstTimestamp?: string | null;
  readonly lastTimestamp?: string | null;
  readonly involvedObject: { readonly kind?: string; readonly name?: string; readonly uid?: string };
};

export type List<T> = {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly T[];
};

/** metav1.Status: the body of the apiserver's error answers. */
export type Status = {
  readonly kind: 'Status';
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number };
};

/** Name of the container whose end decides the step's; containers that an admission webhook injects do not count. */
export const CONTAINER = 'job';

/** Labels that the Job controller sets on each pod. */
export const JOB_NAME_LABEL = 'batch.kubernetes.io/job-name';
export const JOB_UID_LABEL = 'batch.kubernetes.io/controller-uid';
