/** Carries what a step prints to Postgres, from where an earlier follower left off; a flood never blinds its caller. */
import { appendLog, LOG_LIMIT_BYTES, logEnd } from '../src/db/logs.ts';
import type { Db } from '../src/db/schema.ts';
import type { StepRef } from '../src/db/steps.ts';
import type { Runner } from '../src/runner/runner.ts';

/** Parts of at most 64 KiB that one call carries. */
const PARTS_A_CALL = 16;

/** Follows one step; `copy` may be called as often as one likes, and by several followers at once. */
export async function followLog(deps: { db: Db; runner: Runner }, ref: StepRef, name: string) {
  let offset = await logEnd(deps.db, ref);
  return {
    async copy(): Promise<void> {
      for (let parts = 0; parts < PARTS_A_CALL; parts++) {
        const part = await deps.runner.readLog(name, offset, LOG_LIMIT_BYTES);
        if (!part) return;
        const appended = await appendLog(deps.db, ref, part.offset, part.bytes);
        offset = appended ? part.offset + part.bytes.length : await logEnd(deps.db, ref);
        if (!appended && offset <= part.offset) return;
      }
    },
  };
}
