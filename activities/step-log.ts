/** Copies the output of a step to Postgres, from where an earlier follower stopped; a flood never blocks its caller. */
import { setTimeout as wait } from 'node:timers/promises';
import { appendLog, endLog, logEnd, mergeLog } from '../src/db/jobs/logs.ts';
import { refOf, type StepRef, type StepRow } from '../src/db/jobs/steps.ts';
import { shareOf } from '../src/domain/log-chunks.ts';
import type { LogOver, LogReader } from '../src/runner/runner.ts';
import type { StepDeps } from './step-deps.ts';

/** Parts of about 64 KiB that one call copies while the program runs. */
const PARTS_A_CALL = 16;
/** After this many appends, small chunks are merged into few large ones. */
const MERGE_AFTER = 64;
const RETRY_MS = 500;

export type ToEnd = {
  /** Milliseconds without new output, and in all, after which the copy gives up. */
  readonly silentMs: number;
  readonly withinMs: number;
  readonly signal: AbortSignal;
  /** Called once with the reason when the log cannot be read; nothing depends on a log. */
  readonly onTrouble: (error: unknown) => void;
};

export type StepLog = AsyncDisposable & {
  readonly ref: StepRef;
  /** Copies some of the new output. */
  copy(): Promise<void>;
  /** Copies the rest after the program's end and records that the log is complete. False when the rest cannot be read. */
  copyToEnd(how: ToEnd): Promise<boolean>;
};

/** Follows one step; several followers of the same step are harmless. */
export async function followLog(deps: StepDeps, step: StepRow): Promise<StepLog> {
  const { db, runner } = deps;
  const ref = refOf(step);
  const keep = shareOf(deps.logLimit);
  const { name, runner_uid: uid } = step;
  const open = async () =>
    uid === null ? nothingOf(step) : runner.openLog({ name, uid }, await logEnd(db, ref), keep);
  let reader = await open();
  let appended = 0;

  /** Copies one part. @returns false, or the reason why there was none */
  async function copyPart(toEnd: boolean): Promise<LogOver | undefined | false> {
    const part = await reader.read({ toEnd });
    if (typeof part !== 'object') return part;
    if (await appendLog(db, ref, part, keep)) {
      appended += 1;
      if (appended % MERGE_AFTER === 0) await mergeLog(db, ref);
    } else {
      // Another follower was faster: continue from its position.
      reader.close();
      reader = await open();
    }
    return false;
  }

  return {
    ref,
    async copy() {
      for (let parts = 0; parts < PARTS_A_CALL; parts++) if ((await copyPart(false)) !== false) return;
    },
    async copyToEnd({ silentMs, withinMs, signal, onTrouble }) {
      const began = Date.now();
      let heard = began;
      let isTroubled = false;
      for (;;) {
        signal.throwIfAborted();
        const nothing = await copyPart(true).catch(async (error: unknown) => {
          if (!isTroubled) onTrouble(error);
          isTroubled = true;
          await wait(RETRY_MS);
          return undefined;
        });
        if (nothing === 'end') {
          await endLog(db, ref, 'complete');
          return true;
        }
        const now = Date.now();
        if (nothing === false) heard = now;
        if (nothing === 'gone' || now - heard > silentMs || now - began > withinMs) return false;
      }
    },
    async [Symbol.asyncDispose]() {
      reader.close();
    },
  };
}

/** The log of a step without a known object: empty, or lost if the step has reported nevertheless. */
function nothingOf({ started_at }: StepRow): LogReader {
  const over = started_at === null ? 'end' : 'gone';
  return { read: async ({ toEnd }) => (toEnd ? over : undefined), close: () => undefined };
}
