/** Writes batches, some at once, such that each may commit only after all before it. */

import { readAhead } from './read-ahead.ts';
import type { Turn } from './sinks/sink.ts';

const READ_AHEAD = 4;

/**
 * Calls `write` for each batch, at most `lanes` at once. `turn` rejects if an earlier batch failed, so a later
 * one never commits past a gap. On a stop or a failure the batches in hand are finished before it throws.
 */
export async function writeInOrder<B>({
  batches,
  lanes,
  stop,
  write,
}: {
  batches: AsyncIterable<B>;
  lanes: number;
  stop: AbortSignal;
  write: (batch: B, turn: Turn) => Promise<void>;
}): Promise<void> {
  const inHand = new Set<Promise<void>>();
  let previous: Promise<void> = Promise.resolve();
  try {
    for await (const batch of readAhead(batches, READ_AHEAD)) {
      while (inHand.size >= lanes) await Promise.race(inHand);
      stop.throwIfAborted();
      const task = write(batch, previous);
      previous = task;
      inHand.add(task);
      task.then(
        () => inHand.delete(task),
        () => {},
      );
    }
    await previous;
  } finally {
    await Promise.allSettled(inHand);
  }
}

/** Marks the last item, which is known only once the items have ended well. */
export async function* withLast<T>(items: AsyncIterable<T>): AsyncGenerator<{ item: T; last: boolean }> {
  let held: { item: T } | null = null;
  for await (const item of items) {
    if (held) yield { item: held.item, last: false };
    held = { item };
  }
  if (held) yield { item: held.item, last: true };
}
