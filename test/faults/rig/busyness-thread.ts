/** Uses some milliseconds of processor time, again and again, and reports how long that took by the clock. */
import { setTimeout as wait } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';

/** More than a scheduler grants at once to a thread that has not run for a while. */
const WORK_MICROSECONDS = 30_000;
const EVERY_MS = 500;

for (;;) {
  const began = performance.now();
  const before = process.threadCpuUsage();
  let used = 0;
  while (used < WORK_MICROSECONDS) {
    const { user, system } = process.threadCpuUsage(before);
    used = user + system;
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has none
  parentPort?.postMessage({ at: Date.now(), factor: (performance.now() - began) / (used / 1000) });
  await wait(EVERY_MS);
}
