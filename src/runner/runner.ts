/** What a runner is: it makes, shows and removes the one object (Kubernetes Job, supervised process) of an attempt. */
import type { Key, StepSpec } from '../domain/job.ts';
import type { StepLabels } from '../domain/names.ts';
import type { StepOutcome } from '../domain/outcome.ts';

export type StepLaunch = {
  readonly name: string;
  readonly labels: StepLabels;
  readonly spec: StepSpec;
  readonly reportUrl: string;
  readonly reportToken: string;
  /** JSON of an earlier attempt's last checkpoint. */
  readonly checkpoint: string | undefined;
};

export type Launched =
  | { readonly kind: 'launched'; readonly uid: string }
  /** The name is taken by something that is not this attempt; never adopted, never deleted. */
  | { readonly kind: 'name_conflict'; readonly owner: string }
  /** Our own earlier object of this name is on its way out: try again. */
  | { readonly kind: 'being_deleted' };

/** One object of ours as a listing shows it. */
export type Listed = {
  readonly name: string;
  readonly uid: string;
  readonly labels: StepLabels;
  /** False once nothing of it runs any more (pod phase Succeeded or Failed). */
  readonly live: boolean;
  readonly createdAt: Date;
};

export type Observation =
  | { readonly state: 'absent' }
  | { readonly state: 'waiting'; readonly reason: string; readonly detail: string }
  | { readonly state: 'starting' }
  | { readonly state: 'running' }
  /** Ended, and nothing of it runs any more. */
  | { readonly state: 'ended'; readonly end: StepEnd };

/** How it ended, as far as the runner alone can tell. */
export type StepEnd =
  | { readonly kind: 'completed' }
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'deadline' }
  | { readonly kind: 'not_started'; readonly detail: string }
  | { readonly kind: 'disappeared' };

/** What the program itself said last, to explain an end with. */
export type LastWords = { readonly phase: string; readonly message: string | null } | undefined;

export type LogPart = { readonly offset: number; readonly bytes: Buffer };

export type Runner = {
  /** Adopt-or-create: the same attempt launched twice is one object. */
  launch(step: StepLaunch): Promise<Launched>;
  /** Everything of this installation, or of one key or job of it. Asks anew each time, never a cache. */
  list(of?: Key | { readonly jobUid: string }): Promise<Listed[]>;
  /** The truth about one object, read anew. */
  observe(step: { name: string; uid: string | null }): Promise<Observation>;
  /** Resolves when something may have changed, or when the signal aborts; a hint, never the truth. */
  changed(name: string, signal: AbortSignal): Promise<void>;
  /**
   * The log from a byte offset on, at most 64 KiB a call; undefined when there is nothing new. What is further behind
   * the end than `behind` bytes is passed over.
   */
  readLog(name: string, offset: number, behind: number): Promise<LogPart | undefined>;
  /**
   * Asks the object to end, and returns at once. Safe to repeat; gone is done. `force` does not wait for grace.
   * Touches nothing but the object of this very uid.
   */
  remove(step: { name: string; uid: string; force: boolean }): Promise<void>;
  /** Deletes what is left of an object that no longer runs. */
  forget(step: { name: string; uid: string }): Promise<void>;
  diagnose(end: StepEnd, words: LastWords): StepOutcome;
};
