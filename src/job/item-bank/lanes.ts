/** Work on many things, some at once. */

/** Calls `work` for each, at most `lanes` at once. On a stop or a failure what is in hand is finished before it throws. */
export async function inLanes<T>(
  things: readonly T[],
  { lanes, stop }: { lanes: number; stop: AbortSignal },
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
  const ended = await Promise.allSettled(Array.from({ length: lanes }, lane));
  const failed = ended.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}
