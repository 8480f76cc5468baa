/** What a runner is: it makes, shows and removes the one object (Kubernetes Job, supervised process) of an attempt. */
import type { Key, StepSpec } from '../domain/job.ts';
import type { LogShare } from '../domain/log-chunks.ts';
import type { StepLabels } from '../domain/names.ts';
import type { Diagnosis, StepOutcome } from '../domain/outcome.ts';

export type StepLaunch = {
  readonly name: string;
  readonly labels: StepLabels;
  readonly spec: StepSpec;
  readonly reportUrl: string;
  /** W3C, of the call that asked for the job. */
  readonly traceparent: string | null;
  readonly reportToken: string;
  /** JSON of an earlier attempt's last checkpoint. */
  readonly checkpoint: string | undefined;
};

export type Launched =
  | { readonly kind: 'launched'; readonly uid: string }
  /** The name is taken by something that is not this attempt; never adopted, never deleted. */
  | { readonly kind: 'name_conflict'; readonly owner: string }
  /** Our own earlier object of this name is on its way out: try again. */
  | { readonly kind: 'being_deleted' }
  /** It may be taken later, as when others use up a quota: try again. Nothing was created. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly detail: string }
  /** It will not be taken however often it is tried; nothing was created. */
  | { readonly kind: 'refused'; readonly diagnosis: Diagnosis };

/** One object of ours as a listing shows it. */
export type Listed = {
  readonly name: string;
  readonly uid: string;
  readonly labels: StepLabels;
  /** False once nothing of it runs any more (pod phase Succeeded or Failed). */
  readonly live: boolean;
  /** Its removal has begun and needs no further word of ours, unless by force. */
  readonly removing: boolean;
  /** Who has been told to end it, in words, and the seconds it is given for that; undefined until then. */
  readonly ending?: { readonly by: string; readonly graceSeconds: number } | undefined;
  readonly createdAt: Date;
};

export type Observation =
  | { readonly state: 'absent' }
  | {
      readonly state: 'waiting';
      /** Stable word: quota, unschedulable, image_pull, admission … */
      readonly reason: string;
      readonly detail: string;
      /** For what does not mend by itself: after so many seconds of it, the step has failed by it. */
      readonly giveUp?: { readonly afterSeconds: number; readonly diagnosis: Diagnosis };
    }
  | { readonly state: 'starting' }
  | { readonly state: 'running' }
  /** Ended, and nothing of it runs any more. */
  | { readonly state: 'ended'; readonly end: StepEnd };

/** How it ended, as far as the runner alone can tell. */
export type StepEnd =
  | { readonly kind: 'completed' }
  /** `message` is what it left behind: its termination message, or the end of its log. */
  | { readonly kind: 'exited'; readonly exitCode: number; readonly message?: string | undefined }
  | { readonly kind: 'killed'; readonly signal: string; readonly message?: string | undefined }
  | { readonly kind: 'deadline' }
  | { readonly kind: 'not_started'; readonly detail: string }
  /** The runner's own evidence says it all; nothing the program reported could add to it. */
  | { readonly kind: 'diagnosed'; readonly diagnosis: Diagnosis }
  | { readonly kind: 'disappeared' };

/** What the program itself said last, to explain an end with. */
export type LastWords = { readonly phase: string; readonly message: string | null } | undefined;

/** Where in a log one is: bytes passed so far, and the runner's own word for the place, if it needs one. */
export type LogPlace = { readonly offset: number; readonly mark: string | null };

/** Bytes of a log from `offset` on, and the place after them. */
export type LogPart = { readonly offset: number; readonly bytes: Buffer; readonly next: LogPlace };

/** Why no more of a log will come: all of it was read, or what is left of it is not there any more. */
export type LogOver = 'end' | 'gone';

/** Reads one log from a place on, to be closed when done with. */
export type LogReader = {
  /**
   * Some 64 KiB at most, and no word of less cut in two; undefined when there is nothing new. `toEnd`: the program has ended, so wait a little for what
   * of its output is still on the way, and say when there is no more.
   */
  read(options: { toEnd: boolean }): Promise<LogPart | LogOver | undefined>;
  close(): void;
};

export type Runner = {
  /** Adopt-or-create: the same attempt launched twice is one object. */
  launch(step: StepLaunch): Promise<Launched>;
  /** Everything of this installation, or of one key or job of it. Asks anew each time, never a cache. */
  list(of?: Key | { readonly jobUid: string }): Promise<Listed[]>;
  /** The truth about one object, read anew. */
  observe(step: { name: string; uid: string | null }): Promise<Observation>;
  /** Resolves when something may have changed, or when the signal aborts; a hint, never the truth. */
  changed(name: string, signal: AbortSignal): Promise<void>;
  /** Its log from a place on. What is in neither share, when it is read, may be passed over. */
  openLog(step: { name: string; uid: string }, from: LogPlace, keep: LogShare): LogReader;
  /**
   * Asks the object to end, and returns at once. Safe to repeat; gone is done. `force` does not wait for grace.
   * Touches nothing but the object of this very uid.
   */
  remove(step: { name: string; uid: string; force: boolean }): Promise<void>;
  /** Deletes what is left of an object that no longer runs, now or soon; the reconciler finds what was not deleted. */
  forget(step: { name: string; uid: string }): Promise<void>;
  diagnose(end: StepEnd, words: LastWords): StepOutcome;
};
