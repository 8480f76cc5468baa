/** Identifies the writer of a sink: the installation and target that own it, and the attempt of a job. Pure. */
import { randomUUID } from 'node:crypto';

export type Owner = {
  /** The installation's uid; null for a stand-alone run. */
  readonly installation: string | null;
  readonly env: string | null;
  readonly target: string | null;
};

export type Writer = Owner & {
  /** null for a stand-alone run. */
  readonly jobId: number | null;
  readonly jobUid: string | null;
  /** The first job of a chain of resumes. */
  readonly originUid: string | null;
  readonly step: number;
  readonly attempt: number;
  readonly action: string;
  /** True: the run only plans the action. */
  readonly plans?: boolean;
  /** New for each run of the program: the run that opened a sink last holds its fence. */
  readonly run: string;
};

export function newRun(): string {
  return randomUUID();
}

/** Names one step of one job permanently; by uid if possible, since job numbers recur after a restore. */
export function stepKey({
  jobUid,
  jobId,
  run,
  step,
}: Pick<Writer, 'jobUid' | 'jobId' | 'run' | 'step'>): string {
  const job = jobUid ?? (jobId === null ? `run ${run}` : `job ${jobId}`);
  return `${job} step ${step}`;
}

export function ownerInWords({ installation, env, target }: Owner): string {
  if (installation === null) return 'a stand-alone run';
  return `target '${target}' in env '${env}' of installation ${installation}`;
}

/**
 * The writer of a test outside of Syncrator, which knows its target but not the installation: it takes the sink's. Without
 * a target it is a stand-alone run.
 */
export function assumingInstallation(writer: Writer, { installation }: Pick<Owner, 'installation'>): Writer {
  if (writer.env === null || writer.target === null) return writer;
  return { ...writer, installation: writer.installation ?? installation };
}
