/** Says every few seconds that something long is still going on, and for how long. */

/** Tells the label at once, then with the elapsed seconds every 5 s until the work has ended. */
export async function withSignOfLife<T>(
  label: string,
  onProgress: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  onProgress(label);
  const start = Date.now();
  const timer = setInterval(
    () => onProgress(`${label}: ${Math.round((Date.now() - start) / 1000)} s`),
    5_000,
  );
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
