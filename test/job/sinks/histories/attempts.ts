/** Runs one attempt, to its end or until a request at which it is killed, from a source that tells what it is to tell. */
import { startRequestProxy } from '../../../faults/sink-kill/request-proxy.ts';
import { type Attempt, attempt, type AttemptEnd } from '../../support/attempt.ts';
import { type MemorySource, memorySource } from '../../support/memory-source.ts';
import type { Kill } from './chapters.ts';
import type { Telling } from './telling.ts';

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
  return { end: await attempt(of), cut: false };
}

export async function runKilled(of: Attempt, { kill, most }: { kill: Kill; most: number }): Promise<Ended> {
  const cut = { at: 1 + Math.floor(kill.at * most), when: kill.when, ends: 'program' } as const;
  await using proxy = await startRequestProxy({ url: of.url, cut });
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
