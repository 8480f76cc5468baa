/**
 * Queue of ended Jobs to delete, one at a time and never during a launch, because starting work has priority. The queue
 * is in memory only: the reconciler deletes the Jobs that a dead worker's queue held.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { KubernetesClient } from './apiserver/client.ts';

export type CleanupQueue = {
  /** Runs a launch; deletions wait until it has ended. */
  whileLaunching<T>(launch: () => Promise<T>): Promise<T>;
  /** Queues a Job; without launches in between it is deleted within a few seconds. */
  add(of: { name: string; uid: string }): void;
};

const PAUSE_MS = 500;

export function createCleanupQueue(
  client: Pick<KubernetesClient, 'deleteJob'>,
  onTrouble: (error: unknown) => void,
): CleanupQueue {
  const queue = new Map<string, { name: string; uid: string }>();
  let launching = 0;
  let lastLaunch = 0;
  let working = false;

  async function work(): Promise<void> {
    // A Map iterates in insertion order, including entries added meanwhile.
    for (const [uid, of] of queue) {
      while (launching > 0 || Date.now() - lastLaunch < PAUSE_MS)
        await wait(PAUSE_MS, undefined, { ref: false });
      await client.deleteJob({ ...of, force: false }).catch(onTrouble);
      queue.delete(uid);
    }
    working = false;
  }

  return {
    async whileLaunching(launch) {
      launching += 1;
      try {
        return await launch();
      } finally {
        launching -= 1;
        lastLaunch = Date.now();
      }
    },
    add(of) {
      queue.set(of.uid, of);
      if (working) return;
      working = true;
      void work();
    },
  };
}
