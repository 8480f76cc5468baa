/** Groups rows, so that a caller works on many at once and wide rows do not fill the memory. */
const MOST_ROWS = 500;
const MOST_LENGTH = 2 * 1024 * 1024;

type Grouping<V, T> = {
  /** The result for a row. */
  readonly make: (row: V) => T;
  /** About as many characters as the result holds. */
  readonly lengthOf: (made: T) => number;
  readonly mostRows?: number;
};

export async function* inGroups<V, T>(
  rows: AsyncIterable<V> | Iterable<V>,
  of: Grouping<V, T>,
): AsyncGenerator<T[]> {
  const collect = createCollector(of);
  for await (const row of rows) {
    const group = collect.add(row);
    if (group !== null) yield group;
  }
  yield* collect.rest();
}

/** The same for rows that are at hand: a promise for each of them would take longer than the row. */
export function* groupsOf<V, T>(rows: Iterable<V>, of: Grouping<V, T>): Generator<T[]> {
  const collect = createCollector(of);
  for (const row of rows) {
    const group = collect.add(row);
    if (group !== null) yield group;
  }
  yield* collect.rest();
}

function createCollector<V, T>({ make, lengthOf, mostRows = MOST_ROWS }: Grouping<V, T>) {
  let group: T[] = [];
  let length = 0;
  return {
    /** @returns the group, once it is full */
    add(row: V): T[] | null {
      const made = make(row);
      group.push(made);
      length += lengthOf(made);
      if (group.length < mostRows && length < MOST_LENGTH) return null;
      const full = group;
      group = [];
      length = 0;
      return full;
    },
    rest: (): T[][] => (group.length > 0 ? [group] : []),
  };
}
