/**
 * Serialises the writes of items: each one locks the sink's fence, so concurrent writes would collide and be
 * retried.
 */
import type { Items } from '../../sinks/items.ts';

/** Costs little: concurrency hides the latency of GitLab, and a write takes a few milliseconds. */
export function serializeWrites(items: Items): Items {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = async <T>(write: () => Promise<T>): Promise<T> => {
    const mine = last.then(write);
    // The caller of the failed write receives its error.
    last = mine.catch(() => {});
    return await mine;
  };
  return {
    ...items,
    apply: (revision) => inTurn(() => items.apply(revision)),
    markRemoved: (id) => inTurn(() => items.markRemoved(id)),
    move: (id, project) => inTurn(() => items.move(id, project)),
  };
}
