/** Switches maintenance on and off while a program runs. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { ApiClient } from './api-client.ts';

export type Pauses = {
  /**
   * Stops; the flag is off when it resolves.
   * @returns the number of pauses
   */
  end(): Promise<number>;
};

/** One after the other, each of up to two seconds, a few seconds apart; all at random. */
export function beginPauses(api: ApiClient, random: Random): Pauses {
  const ended = new AbortController();
  const set = (paused: boolean) =>
    api.insist('POST', '/maintenance-status', { body: { msg: 'a fault program', paused } });
  const rest = (ms: number) => wait(ms, undefined, { signal: ended.signal }).catch(() => undefined);
  const done = (async () => {
    let count = 0;
    for (; !ended.signal.aborted; count++) {
      await rest(random.integer(2_000, 8_000));
      await set(true);
      await rest(random.integer(100, 2_000));
      await set(false);
    }
    return count;
  })();
  return {
    end() {
      ended.abort();
      return done;
    },
  };
}
