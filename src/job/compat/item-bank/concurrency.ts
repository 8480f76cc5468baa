/** Runs work on many things with limited concurrency. */

/**
 * Calls `work` for each thing, at most `concurrency` at once. On a stop or a failure it finishes running calls,
 * then throws.
 */
export async function forEachConcurrently<T>(
  things: readonly T[],
  { concurrency, stop }: { concurrency: number; stop: AbortSignal },
  work: (thing: T) => Promise<void>,
): Promise<void> {
  const left = things.values();
  let broken = false;
  const lane = async (): Promise<void> => {
    for (const thing of left) {
      stop.throwIfAborted();
      if (broken) return;
      await work(thing).catch((error: unknown) => {
        broken = true;
        throw error;
      });
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: concurrency }, lane));
  const failed = ended.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}
