/** Reports the elapsed time of long work every few seconds. */

/** Reports the label at once, then every 5 s with the elapsed seconds until the work has ended. */
export async function withProgress<T>(
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
