/** Writes batches concurrently, while each commits only after all batches before it. */
import { readAhead } from './read-ahead.ts';
import type { Turn } from './sinks/sink.ts';

const READ_AHEAD = 4;

/**
 * Calls `write` for each batch, at most `concurrency` at once. `turn` rejects if an earlier batch failed, so a later
 * batch never commits past a gap. On a stop or a failure it waits for the batches in progress before it throws.
 */
export async function writeInOrder<B>({
  batches,
  concurrency,
  stop,
  write,
}: {
  batches: AsyncIterable<B>;
  concurrency: number;
  stop: AbortSignal;
  write: (batch: B, turn: Turn) => Promise<void>;
}): Promise<void> {
  const inHand = new Set<Promise<void>>();
  let previous: Promise<void> = Promise.resolve();
  try {
    for await (const batch of readAhead(batches, READ_AHEAD)) {
      while (inHand.size >= concurrency) await Promise.race(inHand);
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

/** Marks the last item; each item is held back until the next one arrives or the iterable ends without error. */
export async function* withLast<T>(items: AsyncIterable<T>): AsyncGenerator<{ item: T; last: boolean }> {
  let held: { item: T } | null = null;
  for await (const item of items) {
    if (held) yield { item: held.item, last: false };
    held = { item };
  }
  if (held) yield { item: held.item, last: true };
}
