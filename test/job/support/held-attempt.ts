/** An attempt that pauses within its work until a test releases it, so that two attempts run side by side. */
import type { SourceRecord } from '../../../src/job/sources/source.ts';
import { type Attempt, attempt, type AttemptEnd } from './attempt.ts';
import { memorySource, type MemorySource } from './memory-source.ts';

export type HeldAttempt = {
  /** Resolves once the attempt has paused or ended. */
  readonly standing: Promise<unknown>;
  letGo(): void;
  readonly ended: Promise<AttemptEnd>;
};

/** @param of.stands where it pauses: after the sink is open, or after everything is loaded */
export function startHeld(of: {
  attempt: Attempt;
  records: readonly SourceRecord[];
  stands: 'opened' | 'loaded';
}): HeldAttempt {
  const gate = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const hold = async (): Promise<void> => {
    arrived.resolve();
    await gate.promise;
  };
  const source = memorySource(of.records);
  const ended =
    of.stands === 'opened'
      ? attempt({ ...of.attempt, source, opened: hold })
      : attempt({ ...of.attempt, source: standingAtTheEnd(source, hold) });
  return { standing: Promise.race([arrived.promise, ended]), letGo: gate.resolve, ended };
}

function standingAtTheEnd(source: MemorySource, hold: () => Promise<void>): MemorySource {
  async function* held<T>(batches: AsyncIterable<T>): AsyncGenerator<T> {
    yield* batches;
    await hold();
  }
  return {
    ...source,
    changedSince: (since, from, size) => held(source.changedSince(since, from, size)),
    ids: (size) => held(source.ids(size)),
  };
}
