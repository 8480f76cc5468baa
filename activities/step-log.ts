/** Carries what a step prints to Postgres, from where an earlier follower left off; a flood never blinds its caller. */
import { appendLog, LOG_LIMIT_BYTES, logEnd } from '../src/db/logs.ts';
import type { Db } from '../src/db/schema.ts';
import type { StepRef } from '../src/db/steps.ts';
import type { Runner } from '../src/runner/runner.ts';

/** Parts of at most 64 KiB that one call carries. */
const PARTS_A_CALL = 16;

export type StepLog = AsyncDisposable & {
  /** Carries what is new. `toEnd`: the program has ended, so what is still on its way is waited for, briefly. */
  copy(options?: { toEnd: boolean }): Promise<void>;
};

/** Follows one step; several may follow the same. Nothing to follow before there is something of it. */
export async function followLog(
  deps: { db: Db; runner: Runner },
  ref: StepRef,
  step: { name: string; runner_uid: string | null },
): Promise<StepLog> {
  if (step.runner_uid === null) return { copy: async () => {}, [Symbol.asyncDispose]: async () => {} };
  const of = { name: step.name, uid: step.runner_uid };
  const open = async () => deps.runner.openLog(of, await logEnd(deps.db, ref), LOG_LIMIT_BYTES);
  let reader = await open();
  return {
    async copy(options = { toEnd: false }) {
      for (let parts = 0; parts < PARTS_A_CALL; parts++) {
        const part = await reader.read(options);
        if (!part) return;
        if (await appendLog(deps.db, ref, part)) continue;
        // Another follower was first: go on from where it is.
        reader.close();
        reader = await open();
      }
    },
    async [Symbol.asyncDispose]() {
      reader.close();
    },
  };
}
