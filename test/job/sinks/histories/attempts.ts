/** Runs one attempt, to its end or until a change at which it is killed, from a source that tells what it is to tell. */
import { startRequestProxy } from '../../../faults/sink-kill/request-proxy.ts';
import type { SearchPlace } from '../../../faults/sink-kill/search-place.ts';
import type { RollbackPreview } from '../../../../src/domain/report.ts';
import { JobError } from '../../../../src/job/job-error.ts';
import { type Attempt, attempt, type AttemptEnd, uidOf } from '../../support/attempt.ts';
import type { Rows } from '../../support/live-rows.ts';
import { type MemorySource, memorySource } from '../../support/memory-source.ts';
import { writerOf } from '../../support/writer.ts';
import type { Kill } from './chapters.ts';
import type { Telling } from './telling.ts';

/** For a server that other tests keep busy. */
const PATIENCE_MS = 60_000;

/** What a source was asked. */
export type Asked = {
  /** undefined: for no listing. */
  since?: Date | null;
  /** The id after which the listing went on; null: none. */
  after: string | null;
};

export type Ended = {
  readonly end: AttemptEnd;
  /** It was killed before it could end. */
  readonly cut: boolean;
};

export async function undisturbed(of: Attempt): Promise<Ended> {
  return { end: await attempt({ ...of, patienceMs: PATIENCE_MS }), cut: false };
}

/** @param of.isChange the requests that count: a kill at any other one is as one after the change before it */
export async function runKilled(
  of: Attempt,
  { kill, most, isChange }: { kill: Kill; most: number; isChange: SearchPlace['isChange'] },
): Promise<Ended> {
  const cut = { at: 1 + Math.floor(kill.at * most), when: kill.when, ends: 'program' } as const;
  await using proxy = await startRequestProxy({ url: of.url, cut, counts: isChange });
  const end = await attempt({ ...of, url: proxy.url });
  return { end, cut: proxy.cut };
}

/** A source that tells this, and notes what it was asked. */
export function listening(telling: Telling, asked: Asked): MemorySource {
  const { records, deleted, complete, breaksAfter, answers } = telling;
  const source = Object.assign(memorySource(records), {
    deleted,
    complete,
    breaksAfter,
    answers: new Set(answers),
  });
  const { changedSince } = source;
  return Object.assign(source, {
    changedSince(...[since, from, size]: Parameters<MemorySource['changedSince']>) {
      asked.since = since;
      asked.after = from?.after ?? null;
      return changedSince(since, from, size);
    },
  });
}

/** What a rollback would change; null: there is nothing to roll back. */
export async function previewOf(of: Attempt): Promise<RollbackPreview | null> {
  const sink = of.sink?.(of, writerOf({ action: 'rollback' }));
  if (!sink) throw new Error('a preview needs a sink');
  const before = typeof of.before === 'number' ? uidOf(of.before) : null;
  try {
    return await sink.previewRollback({ before, expect: null, ...(of.only && { only: of.only }) });
  } catch (error) {
    if (error instanceof JobError && error.code === 'nothingToRollBack') return null;
    throw error;
  } finally {
    await sink.close();
  }
}

/** @returns what the preview says otherwise; null: nothing */
export function unlikePreview(
  { added, updated, removed }: RollbackPreview,
  { before, after }: { before: Rows; after: Rows },
): string | null {
  const count = (some: Rows, is: (id: string, text: string) => boolean): number =>
    [...some].filter(([id, text]) => is(id, text)).length;
  const told = { added, updated, removed };
  const real = {
    added: count(after, (id) => !before.has(id)),
    updated: count(after, (id, text) => before.has(id) && before.get(id) !== text),
    removed: count(before, (id) => !after.has(id)),
  };
  const differs = JSON.stringify(told) !== JSON.stringify(real);
  return differs ? `the preview told ${JSON.stringify(told)}, and it is ${JSON.stringify(real)}` : null;
}
