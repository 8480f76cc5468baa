/** The pause of a loop, cut short. */
import { expect, test } from 'vitest';
import { every } from '../../src/engine/every.ts';
import { Waker } from '../../src/engine/waker.ts';

const HOUR = 3_600_000;

test('a loop that is woken during its pause or during a run runs again at once', async () => {
  const waker = new Waker();
  const stop = new AbortController();
  let runs = 0;
  const looping = every(
    HOUR,
    stop.signal,
    () => {
      runs += 1;
      if (runs === 2) waker.wake(); // during the run
      return Promise.resolve();
    },
    () => undefined,
    waker,
  );
  await expect.poll(() => runs).toBe(1);
  waker.wake();
  await expect.poll(() => runs).toBe(3);
  stop.abort();
  await looping;
  expect(runs).toBe(3);
});
