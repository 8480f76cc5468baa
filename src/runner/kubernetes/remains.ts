/**
 * What is left of ended Jobs, deleted one at a time and never while one is being launched: starting work goes first.
 * Kept in memory alone: what a worker forgets at its death, the reconciler finds.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { KubernetesClient } from './client.ts';

export type Remains = {
  /** Counts what goes on under way before anything is deleted. */
  whileLaunching<T>(launch: () => Promise<T>): Promise<T>;
  /** To be deleted when there is time for it, a few seconds later at most if nothing is launched. */
  add(of: { name: string; uid: string }): void;
};

const PAUSE_MS = 500;

export function createRemains(
  client: Pick<KubernetesClient, 'deleteJob'>,
  onTrouble: (error: unknown) => void,
): Remains {
  const queue = new Map<string, { name: string; uid: string }>();
  let launching = 0;
  let lastLaunch = 0;
  let working = false;

  async function work(): Promise<void> {
    // A Map is gone through in order, what is added meanwhile included.
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
