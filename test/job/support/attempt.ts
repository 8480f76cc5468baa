/** Runs one attempt of a job in this process, from a source in memory to a real Postgres: run-action.ts without reports. */

import { deleteGone } from '../../../src/job/actions/delete.ts';
import { remove } from '../../../src/job/actions/remove.ts';
import { delta } from '../../../src/job/actions/delta.ts';
import { forget } from '../../../src/job/actions/forget.ts';
import { plan } from '../../../src/job/actions/plan.ts';
import { sync } from '../../../src/job/actions/sync.ts';
import type { ActionContext, Progress } from '../../../src/job/actions/action.ts';
import type { Checkpoint } from '../../../src/job/checkpoint.ts';
import type { ColumnSettings } from '../../../src/job/columns/columns-settings.ts';
import { fitColumns } from '../../../src/job/columns/fitted-source.ts';
import { JobError, type JobErrorCode } from '../../../src/job/job-error.ts';
import { createPostgresSink } from '../../../src/job/sinks/postgres/postgres-sink.ts';
import { newRun, type Writer } from '../../../src/job/sinks/writer.ts';
import type { RollbackLimit, Sink } from '../../../src/job/sinks/sink.ts';
import type { PlanSummary } from '../../../src/job/sinks/plans.ts';
import type { Source } from '../../../src/job/sources/source.ts';

export const ACTIONS = ['sync', 'delta', 'delete', 'rollback'] as const;
export type Action = (typeof ACTIONS)[number];

export type Attempt = {
  readonly url: string;
  readonly action: Action | 'remove' | 'forget-record';
  readonly job: number;
  /** The first job of a chain of resumes; its own number if it resumes none. */
  readonly origin?: number;
  readonly step?: number;
  readonly attempt?: number;
  readonly source?: Source;
  readonly checkpoint?: Checkpoint | null;
  /** For a rollback: the job to undo, with all later ones; null: the last sync. */
  readonly before?: number | null;
  readonly expect?: string | null;
  readonly only?: RollbackLimit | undefined;
  readonly force?: boolean;
  /** Makes a plan of the action. */
  readonly plans?: boolean;
  /** In place of the action, applies this plan. */
  readonly applies?: { readonly uid: string; readonly digest: string };
  /** Called with the plan that was made. */
  readonly planned?: (plan: PlanSummary) => void;
  /** For a removal: the ids that the approval names. */
  readonly approved?: readonly string[];
  /** For forget-record. */
  readonly forgets?: readonly string[];
  readonly partOfDiff?: boolean;
  readonly batchSize?: number;
  /** Called once the sink is open; a held attempt continues later. */
  readonly opened?: () => Promise<void>;
  readonly keepChangesBytes?: number | null;
  /** Margin of the watermark. */
  readonly marginMs?: number;
  /** How long to wait for the sink; 0: a cut connection ends the attempt. */
  readonly patienceMs?: number;
  readonly columns?: ColumnSettings | undefined;
  readonly maxRejected?: number;
  /** Makes the sink; a Postgres by default. */
  readonly sink?: (of: Attempt, writer: Writer) => Sink;
};

export type AttemptEnd = {
  readonly code: JobErrorCode | 'ok';
  readonly message: string;
  /** The last reported value. */
  readonly checkpoint: Checkpoint | null;
};

/** The log line of run-action.ts. */
export const DONE_ALREADY = 'an earlier attempt has already applied this step';

const DAY_MS = 86_400_000;

export function uidOf(job: number): string {
  return `00000000-0000-4000-8000-${String(job).padStart(12, '0')}`;
}

/** @throws any error that is not a JobError: a bug of the program */
export async function attempt(of: Attempt): Promise<AttemptEnd> {
  const sink = of.sink?.(of, writerOf(of)) ?? sinkOf(of);
  let checkpoint = of.checkpoint ?? null;
  try {
    const done = await sink.open();
    await of.opened?.();
    if (!done) await act(of, sink, (last) => (checkpoint = last));
    return { code: 'ok', message: done ? DONE_ALREADY : '', checkpoint };
  } catch (error) {
    if (!(error instanceof JobError)) throw error;
    return { code: error.code, message: error.message, checkpoint };
  } finally {
    await sink.close();
  }
}

/** The sink of an attempt, not yet open. */
export function sinkOf(of: Omit<Attempt, 'action'> & { action: string }): Sink {
  return createPostgresSink({
    settings: {
      kind: 'postgres',
      url: of.url,
      schema: null,
      table: 'cities',
      stateSchema: 'syncrator',
      acceptAllTables: false,
      allowCascade: false,
      keepChangesMs: 30 * DAY_MS,
      keepChangesBytes: of.keepChangesBytes ?? 2 ** 40,
      ...(of.columns ? { columns: of.columns } : {}),
    },
    concurrency: 1,
    writer: writerOf(of),
    stop: new AbortController().signal,
    onWait: () => {},
    log: () => {},
    patienceMs: of.patienceMs ?? 0,
    leastBatch: 1,
  });
}

function writerOf(of: Omit<Attempt, 'action'> & { action: string }): Writer {
  return {
    installation: null,
    env: 'dev',
    target: 'cities',
    jobId: of.job,
    jobUid: uidOf(of.job),
    originUid: uidOf(of.origin ?? of.job),
    step: of.step ?? 0,
    attempt: of.attempt ?? 1,
    action: of.applies ? 'apply' : of.action,
    ...(of.plans && { plans: true }),
    run: newRun(),
  };
}

async function act(of: Attempt, sink: Sink, told: (checkpoint: Checkpoint | null) => void): Promise<void> {
  if (of.applies) return void (await sink.plans?.apply(of.applies));
  if (of.action === 'rollback') {
    const before = typeof of.before === 'number' ? uidOf(of.before) : null;
    await sink.rollback({ before, expect: of.expect ?? null, ...(of.only && { only: of.only }) });
    return;
  }
  const rest = {
    progress: (news: Progress) => {
      if (news.checkpoint !== undefined) told(news.checkpoint);
    },
    log: { info: () => {}, debug: () => {} },
    stop: new AbortController().signal,
  };
  if (of.action === 'forget-record') return await forget({ sink, ...rest }, of.forgets ?? []);
  if (!of.source) throw new Error(`a ${of.action} needs a source`);
  if (of.action === 'remove') {
    const approved = pagesOf(of.approved ?? [], of.batchSize ?? 5);
    return await remove({ source: of.source, sink, approved, ...rest });
  }
  const context: ActionContext = {
    source: fitColumns(of.source, of.columns?.list ?? []),
    sink,
    options: {
      batchSize: of.batchSize ?? 5,
      concurrency: 1,
      forceDelete: of.force ?? false,
      acceptJump: false,
    },
    limits: {
      maxDeletePercent: 10,
      maxDeleteRecords: 5,
      maxUpdatePercent: null,
      maxRejected: of.maxRejected ?? 0,
      baseline: 'off',
    },
    // Without a margin, a watermark that moves too far is detected at once.
    watermarkMarginMs: of.marginMs ?? 0,
    checkpoint: of.checkpoint ?? null,
    partOfDiff: of.partOfDiff ?? false,
    ...rest,
  };
  if (!of.plans) return await { sync, delta, delete: deleteGone }[of.action](context);
  await plan(context, { action: of.action, api: null });
  const made = sink.plans?.made();
  if (made) of.planned?.(made);
}

async function* pagesOf(ids: readonly string[], size: number): AsyncGenerator<readonly string[]> {
  for (let at = 0; at < ids.length; at += size) yield ids.slice(at, at + size);
}
