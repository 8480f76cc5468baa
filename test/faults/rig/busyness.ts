/**
 * Measures how busy the machine is: how much longer work takes than the processor time it needs, by a thread that
 * works a little twice a second. Time limits grow by the same factor.
 */
import { Worker } from 'node:worker_threads';

export type Busyness = Disposable & {
  /** Average slowdown since then (milliseconds since 1970), compared with an idle machine; at least 1. */
  factor(since?: number): number;
  /** Number of samples. */
  taken(): number;
};

export type Sample = { readonly at: number; readonly factor: number };

export function measureBusyness(): Busyness {
  const samples: Sample[] = [];
  const thread = new Worker(new URL('busyness-thread.ts', import.meta.url));
  thread.unref();
  thread.on('message', (sample: Sample) => samples.push(sample));
  return {
    factor: (since = 0) => meanFactor(samples, since),
    taken: () => samples.length,
    [Symbol.dispose]: () => void thread.terminate(),
  };
}

/** For a moment without its own sample, the newest counts. */
export function meanFactor(samples: readonly Sample[], since: number): number {
  const recent = samples.filter(({ at }) => at >= since);
  const counted = recent.length > 0 ? recent : samples.slice(-1);
  const mean = counted.reduce((sum, { factor }) => sum + factor, 0) / Math.max(1, counted.length);
  return Math.max(1, Math.round(mean * 100) / 100);
}

/** A limit that was exceeded, in words; nothing if it was kept. */
export function tooLate(what: string, seconds: number, bound: { seconds: number; factor: number }): string[] {
  const most = bound.seconds * bound.factor;
  if (seconds <= most) return [];
  const of = bound.factor === 1 ? '' : ` (${bound.seconds} s on an idle machine)`;
  return [`${what} ${seconds.toFixed(1)} s, may take ${most.toFixed(1)} s${of}`];
}
