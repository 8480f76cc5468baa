/** Groups rows, so that a caller works on many at once and wide rows do not fill the memory. */
const MOST_ROWS = 500;
const MOST_LENGTH = 2 * 1024 * 1024;

/**
 * @param of.make the result for a row
 * @param of.lengthOf about as many characters as the result holds
 */
export async function* inGroups<V, T>(
  rows: AsyncIterable<V> | Iterable<V>,
  of: { make: (row: V) => T; lengthOf: (made: T) => number; mostRows?: number },
): AsyncGenerator<T[]> {
  const { make, lengthOf, mostRows = MOST_ROWS } = of;
  let group: T[] = [];
  let length = 0;
  for await (const row of rows) {
    const made = make(row);
    group.push(made);
    length += lengthOf(made);
    if (group.length < mostRows && length < MOST_LENGTH) continue;
    yield group;
    group = [];
    length = 0;
  }
  if (group.length > 0) yield group;
}
