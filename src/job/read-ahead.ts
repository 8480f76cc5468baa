/** Reads ahead of whoever consumes, so that reading and writing overlap. */

/** The same items in the same order, `depth` of them asked for before they are wanted. */
export async function* readAhead<T>(items: AsyncIterable<T>, depth: number): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]();
  const asked: Promise<IteratorResult<T>>[] = [];
  const ask = (): void => {
    const next = iterator.next();
    // A failure is thrown where the item is awaited; until then it must not count as unhandled.
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
    // Not awaited: it would wait for a read in flight, which only the stop signal ends.
    iterator.return?.()?.catch(() => {});
  }
}
