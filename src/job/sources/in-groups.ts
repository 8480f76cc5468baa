/** Groups rows, so that a caller works on many at once and wide rows do not fill the memory. */
import type { Row } from '../row-line.ts';

const MOST_ROWS = 500;
const MOST_LENGTH = 2 * 1024 * 1024;

/** @param make the row, or its id alone */
export async function* groupRows<V, T extends string | Row>(
  rows: AsyncIterable<V> | Iterable<V>,
  make: (values: V) => T,
): AsyncGenerator<T[]> {
  let group: T[] = [];
  let length = 0;
  for await (const values of rows) {
    const made = make(values);
    group.push(made);
    length += typeof made === 'string' ? made.length : made.record.length;
    if (group.length < MOST_ROWS && length < MOST_LENGTH) continue;
    yield group;
    group = [];
    length = 0;
  }
  if (group.length > 0) yield group;
}
