/** Carries what a step prints to Postgres, from where an earlier follower left off; a flood never blinds its caller. */
import { setTimeout as wait } from 'node:timers/promises';
import { appendLog, endLog, logEnd, mergeLog } from '../src/db/logs.ts';
import { refOf, type StepRef, type StepRow } from '../src/db/steps.ts';
import { shareOf } from '../src/domain/log-chunks.ts';
import type { LogOver, LogReader } from '../src/runner/runner.ts';
import type { StepDeps } from './step-deps.ts';

/** Parts of some 64 KiB that one call carries while the program runs. */
const PARTS_A_CALL = 16;
/** So many small chunks become few large ones. */
const MERGE_AFTER = 64;
const RETRY_MS = 500;

export type ToEnd = {
  /** Given up when nothing has come for so long, and when all of it has taken so long. */
  readonly silentMs: number;
  readonly withinMs: number;
  readonly signal: AbortSignal;
  /** Told why it cannot be read, once; nothing depends on a log. */
  readonly onTrouble: (error: unknown) => void;
};

export type StepLog = AsyncDisposable & {
  readonly ref: StepRef;
  /** Carries some of what is new. */
  copy(): Promise<void>;
  /** The program has ended: carries the rest, and records that it is complete. False when that could not be had. */
  copyToEnd(how: ToEnd): Promise<boolean>;
};

/** Follows one step; several may follow the same. */
export async function followLog(deps: StepDeps, step: StepRow): Promise<StepLog> {
  const { db, runner } = deps;
  const ref = refOf(step);
  const keep = shareOf(deps.logLimit);
  const { name, runner_uid: uid } = step;
  const open = async () =>
    uid === null ? nothingOf(step) : runner.openLog({ name, uid }, await logEnd(db, ref), keep);
  let reader = await open();
  let appended = 0;

  /** @returns why there was nothing to carry; false when there was */
  async function carry(toEnd: boolean): Promise<LogOver | undefined | false> {
    const part = await reader.read({ toEnd });
    if (typeof part !== 'object') return part;
    if (await appendLog(db, ref, part, keep)) {
      appended += 1;
      if (appended % MERGE_AFTER === 0) await mergeLog(db, ref);
    } else {
      // Another follower was first: go on from where it is.
      reader.close();
      reader = await open();
    }
    return false;
  }

  return {
    ref,
    async copy() {
      for (let parts = 0; parts < PARTS_A_CALL; parts++) if ((await carry(false)) !== false) return;
    },
    async copyToEnd({ silentMs, withinMs, signal, onTrouble }) {
      const began = Date.now();
      let heard = began;
      let isTroubled = false;
      for (;;) {
        signal.throwIfAborted();
        const nothing = await carry(true).catch(async (error: unknown) => {
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

/** Of a step of which nothing is known to have been made; what reported all the same has printed, who knows where. */
function nothingOf({ started_at }: StepRow): LogReader {
  const over = started_at === null ? 'end' : 'gone';
  return { read: async ({ toEnd }) => (toEnd ? over : undefined), close: () => undefined };
}
