/** The runner interface: a runner creates, observes and removes the object (Kubernetes Job, supervised process) of an attempt. */
import type { Key, StepSpec } from '../domain/job.ts';
import type { LogShare } from '../domain/log-chunks.ts';
import type { StepLabels } from '../domain/names.ts';
import type { Diagnosis, StepOutcome } from '../domain/outcome.ts';

export type StepLaunch = {
  readonly name: string;
  readonly labels: StepLabels;
  /** Uid of the first job in a chain of resumed jobs; the job's own uid if it resumes none. */
  readonly originUid: string;
  readonly spec: StepSpec;
  readonly reportUrl: string;
  /** W3C trace context of the request that started the job. */
  readonly traceparent: string | null;
  readonly reportToken: string;
  /** Last checkpoint of an earlier attempt, as JSON. */
  readonly checkpoint: string | undefined;
};

export type Launched =
  | { readonly kind: 'launched'; readonly uid: string }
  /** Another object has the name; it is never adopted and never deleted. */
  | { readonly kind: 'name_conflict'; readonly owner: string }
  /** Our own earlier object of this name is being deleted: retry. */
  | { readonly kind: 'being_deleted' }
  /** A later attempt may succeed, as when a quota is used up: retry. Nothing was created. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly detail: string }
  /** No retry can succeed; nothing was created. */
  | { readonly kind: 'refused'; readonly diagnosis: Diagnosis };

/** One of our objects in a listing. */
export type Listed = {
  readonly name: string;
  readonly uid: string;
  readonly labels: StepLabels;
  /** False once no process of it runs (pod phase Succeeded or Failed). */
  readonly live: boolean;
  /** True once its deletion has begun; only a forced removal can speed it up. */
  readonly removing: boolean;
  /** The node that ends it, as text, and its grace period; undefined before the deletion. */
  readonly ending?: { readonly by: string; readonly graceSeconds: number } | undefined;
  /** Deleted objects that a foreign finalizer keeps, each as text with that finalizer. */
  readonly held?: readonly string[] | undefined;
  readonly createdAt: Date;
};

export type Observation =
  | { readonly state: 'absent' }
  | {
      readonly state: 'waiting';
      /** Stable code: quota, unschedulable, image_pull, admission … */
      readonly reason: string;
      readonly detail: string;
      /** For causes that do not pass by themselves: the step fails after this many seconds of waiting. */
      readonly giveUp?: {
        readonly afterSeconds: number;
        readonly diagnosis: Diagnosis;
        /** How the program ended, if its exit code says more than `diagnosis`. */
        readonly end?: StepEnd;
      };
    }
  | { readonly state: 'starting' }
  | { readonly state: 'running' }
  /** Ended, and no process of it runs. */
  | { readonly state: 'ended'; readonly end: StepEnd };

/** How a step ended, as far as the runner itself knows. */
export type StepEnd =
  | { readonly kind: 'completed' }
  /** `message`: its termination message, or the end of its log. */
  | { readonly kind: 'exited'; readonly exitCode: number; readonly message?: string | undefined }
  | { readonly kind: 'killed'; readonly signal: string; readonly message?: string | undefined }
  | { readonly kind: 'deadline' }
  | { readonly kind: 'not_started'; readonly detail: string }
  /** The runner knows the cause; reports of the program cannot add to it. */
  | { readonly kind: 'diagnosed'; readonly diagnosis: Diagnosis }
  | { readonly kind: 'disappeared' };

/** Last report of the program, for the diagnosis. */
export type LastReport = { readonly phase: string; readonly message: string | null } | undefined;

/** Position in a log: bytes read so far, and the runner's own mark of the position, if it needs one. */
export type LogPosition = { readonly offset: number; readonly mark: string | null };

/** Bytes of a log from `offset` on, and the position after them. */
export type LogPart = { readonly offset: number; readonly bytes: Buffer; readonly next: LogPosition };

/** Why a log has ended: all of it was read, or its rest no longer exists. */
export type LogOver = 'end' | 'gone';

/** Reads one log from a position; call `close` when done. */
export type LogReader = {
  /**
   * Returns at most about 64 KiB, never cutting a shorter word; undefined when there is nothing new.
   * @param options.toEnd the program has ended: wait briefly for remaining output, and return why the log is over
   */
  read(options: { toEnd: boolean }): Promise<LogPart | LogOver | undefined>;
  close(): void;
};

export type Runner = {
  /** Adopts or creates: launching the same attempt twice gives one object. */
  launch(step: StepLaunch): Promise<Launched>;
  /** Lists the objects of this installation, or of one key or job. A job whose steps all ended may come from memory. */
  list(of?: Key | { readonly jobUid: string }): Promise<Listed[]>;
  /** Observes one object; an end is always read anew. */
  observe(step: { name: string; uid: string | null }): Promise<Observation>;
  /** Resolves when the object may have changed, or when the signal aborts; observe it to know. */
  changed(name: string, signal: AbortSignal): Promise<void>;
  /** Opens the log at a position. Bytes in neither share of `keep` may be skipped. */
  openLog(step: { name: string; uid: string }, from: LogPosition, keep: LogShare): LogReader;
  /**
   * Requests the end of the object of this uid, and returns at once. Safe to repeat, also when it is gone. `force` skips
   * the grace period.
   */
  remove(step: { name: string; uid: string; force: boolean }): Promise<void>;
  /** Deletes an ended object, now or soon; the reconciler deletes those that this worker could not. */
  forget(step: { name: string; uid: string }): Promise<void>;
  /** @param ownExitCodes ignore our meanings of exit codes, unless the program has sent a report */
  diagnose(end: StepEnd, report: LastReport, ownExitCodes?: boolean): StepOutcome;
};
