/** Turns pieces of any size into batches of one size. */

import type { Cursor, SourceBatch, SourceRecord } from './source.ts';

/** Some items in a row; the cursor stands after the last of them. */
export type Piece<T> = { readonly items: readonly T[]; readonly cursor: Cursor };

export async function* batchesOf(
  pieces: AsyncIterable<Piece<SourceRecord>>,
  batchSize: number,
): AsyncGenerator<SourceBatch> {
  let waiting: SourceRecord[] = [];
  let done: number | null = null;
  const batch = (records: readonly SourceRecord[]): SourceBatch => {
    done = (done ?? 0) + records.length;
    return { records, cursor: { after: records.at(-1)?.id ?? '', done } };
  };
  for await (const { items, cursor } of pieces) {
    done ??= cursor.done - items.length;
    waiting = waiting.length === 0 ? [...items] : waiting.concat(items);
    let start = 0;
    for (; waiting.length - start >= batchSize; start += batchSize)
      yield batch(waiting.slice(start, start + batchSize));
    waiting = waiting.slice(start);
  }
  if (waiting.length > 0) yield batch(waiting);
}
