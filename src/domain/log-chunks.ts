/** A log as chunks: how much of it is kept, and which chunks become one. Pure. */

/** Bytes of its beginning and of its end that are kept; what is between them goes. */
export type LogShare = { readonly head: number; readonly tail: number };

/** Half for each. @param limit bytes that a log may take */
export function shareOf(limit: number): LogShare {
  const head = Math.floor(limit / 2);
  return { head, tail: limit - head };
}

/**
 * A chunk at its largest. Postgres compresses what is so long to a third by itself (pglz: 2.6 to 3.9 times, with its
 * indexes; zstd would have made it 4.4 to 6.1 times), and it stays text that SQL can read.
 */
export const CHUNK_BYTES = 64 * 1024;

export type Extent = { readonly byte_offset: number; readonly byte_length: number };

/**
 * Runs of chunks that follow each other without a gap and fit into one.
 * @param chunks in the order of their offsets
 * @returns the first and the last offset of each run of two or more
 */
export function mergeable(chunks: readonly Extent[]): { from: number; to: number }[] {
  const runs: { from: number; to: number; end: number }[] = [];
  for (const { byte_offset: at, byte_length: length } of chunks) {
    const run = runs.at(-1);
    if (run?.end === at && at + length - run.from <= CHUNK_BYTES) [run.to, run.end] = [at, at + length];
    else runs.push({ from: at, to: at, end: at + length });
  }
  return runs.filter(({ from, to }) => from < to).map(({ from, to }) => ({ from, to }));
}
