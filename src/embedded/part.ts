/** Keeps one child process running: restarts it after a crash, stops it on request. */
import { setTimeout as wait } from 'node:timers/promises';
import { readable } from './log-line.ts';
import { type PartCommand, type PartProcess, type ReadyMessage, runPart } from './part-process.ts';
import { endProcess } from './process-identity.ts';
import { signalProcess } from '../runner/process/process-stat.ts';

export type Part = {
  readonly name: string;
  /** Resolves when first ready; rejects with the child's last lines if it ends before that. */
  readonly ready: Promise<ReadyMessage>;
  /** Identity of the running process, if one runs. */
  current(): PartProcess['identity'];
  /** Sends SIGTERM, after the limit SIGKILL; does not restart. Safe to repeat. */
  stop(): Promise<void>;
  /** Sends SIGKILL to its group at once. */
  kill(): void;
};

export type PartOptions = PartCommand & {
  /** Time from the start to readiness, and from SIGTERM to SIGKILL. */
  readonly limits: { readonly readyMs: number; readonly stopMs: number };
  readonly backoff: { readonly firstMs: number; readonly maxMs: number };
  /** Called when a process starts or ends. */
  readonly onChange: () => void;
};

export function keepRunning(options: PartOptions): Part {
  const { name, say, limits } = options;
  const first = Promise.withResolvers<ReadyMessage>();
  const stopping = new AbortController();
  let running: PartProcess | undefined;

  async function supervise(): Promise<void> {
    let delay = options.backoff.firstMs;
    for (let run = 0; !stopping.signal.aborted; run++) {
      running = runPart(options);
      options.onChange();
      const came = await Promise.race([running.ready, running.ended, late(limits.readyMs)]);
      if (typeof came === 'string') killGroup(running);
      else if (run === 0) first.resolve(came);
      else say(`${name} is back`);
      const readyAt = Date.now();
      const how = await running.ended;
      const tail = running.tail.map(readable);
      running = undefined;
      options.onChange();
      if (run === 0 && typeof came === 'string') {
        const why = stopping.signal.aborted ? 'was stopped' : `ended during start-up (${came})`;
        first.reject(new Error([`${name} ${why}`, ...tail].join('\n    ')));
        return;
      }
      if (stopping.signal.aborted) return;
      if (typeof came !== 'string' && Date.now() - readyAt > options.backoff.maxMs)
        delay = options.backoff.firstMs;
      say(
        [`${name} ended unexpectedly (${how}); restarting in ${delay / 1000} s`, ...tail.slice(-4)].join(
          '\n    ',
        ),
      );
      await wait(delay, undefined, { signal: stopping.signal }).catch(() => undefined); // an abort ends the loop
      delay = Math.min(delay * 2, options.backoff.maxMs);
    }
  }

  const supervision = supervise();
  supervision.catch(first.reject);
  return {
    name,
    ready: first.promise,
    current: () => running?.identity,
    async stop() {
      stopping.abort();
      const identity = running?.identity;
      if (identity !== undefined) {
        await endProcess(name, identity, [
          ['SIGTERM', limits.stopMs],
          ['SIGKILL', 5_000],
        ]);
      }
      await supervision;
    },
    kill() {
      stopping.abort();
      if (running !== undefined) killGroup(running);
    },
  };
}

async function late(ms: number): Promise<string> {
  await wait(ms, undefined, { ref: false });
  return `not ready within ${ms / 1000} s`;
}

function killGroup(run: PartProcess): void {
  if (run.identity !== undefined) signalProcess(-run.identity.pid, 'SIGKILL');
}
