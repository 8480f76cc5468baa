/** Prefetches items of an async iterable, so that reading and writing overlap. */

/** Yields the same items in the same order and keeps up to `depth` reads in flight. */
export async function* readAhead<T>(items: AsyncIterable<T>, depth: number): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]();
  const asked: Promise<IteratorResult<T>>[] = [];
  const ask = (): void => {
    const next = iterator.next();
    // The failure is thrown where the item is awaited; until then it must not be an unhandled rejection.
    next.catch(() => {});
    asked.push(next);
  };
  try {
    for (let count = 0; count < depth; count += 1) ask();
    for (;;) {
      const next = asked.shift();
      const result = next ? await next : undefined;
      if (!result || result.done) return;
      ask();
      yield result.value;
    }
  } finally {
    // Not awaited: return() waits for the read in flight, which only the stop signal ends.
    iterator.return?.()?.catch(() => {});
  }
}
