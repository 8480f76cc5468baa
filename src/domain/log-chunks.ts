/** Divides a log into chunks: which parts are kept, and which chunks are merged. Pure. */

/** Bytes kept of the log's beginning and of its end; the part between is dropped. */
export type LogShare = { readonly head: number; readonly tail: number };

/**
 * Half for each.
 * @param limit bytes that a log may take
 */
export function shareOf(limit: number): LogShare {
  const head = Math.floor(limit / 2);
  return { head, tail: limit - head };
}

/**
 * Largest size of a chunk. Postgres compresses texts of this size to about a third by itself (pglz: factor 2.6 to
 * 3.9 with indexes; zstd would have reached 4.4 to 6.1), and SQL can still read them.
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
