/** Works for some milliseconds of processor time, over and over, and tells how long that took by the clock. */
import { setTimeout as wait } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';

/** More than a scheduler gives at a time to who has not run for a while. */
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
