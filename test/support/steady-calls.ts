/** Calls an api without pause, each call on a new connection, and notes every wrong answer. */
import { setTimeout as wait } from 'node:timers/promises';
import { Agent, request } from 'undici';

const DEADLINE_MS = 15_000;
const PAUSE_MS = 50;

export type SteadyCalls = {
  /**
   * Ends the calls.
   * @returns how many were answered, and the wrong ones: broken, late, or with another status than expected
   */
  stop(): Promise<{ answered: number; wrong: string[] }>;
};

/** @param calls each runs in its own loop */
export function startSteadyCalls(
  url: string,
  token: string,
  calls: readonly { readonly method: 'GET' | 'DELETE'; readonly route: string; readonly status: number }[],
): SteadyCalls {
  // Like many visitors: none stays with the pod that took its first call.
  const dispatcher = new Agent({ pipelining: 0, connectTimeout: DEADLINE_MS });
  const stopped = new AbortController();
  const wrong: string[] = [];
  let answered = 0;
  const lanes = calls.map(async ({ method, route, status }) => {
    for (; !stopped.signal.aborted; await wait(PAUSE_MS)) {
      try {
        const answer = await request(`${url}${route}`, {
          method,
          dispatcher,
          headers: { authorization: `Bearer ${token}` },
          signal: AbortSignal.timeout(DEADLINE_MS),
        });
        const body = await answer.body.text();
        if (answer.statusCode === status) answered += 1;
        else wrong.push(`${method} ${route}: ${answer.statusCode} ${body.slice(0, 200)}`);
      } catch (error) {
        wrong.push(`${method} ${route}: ${String(error)}`);
      }
    }
  });
  return {
    async stop() {
      stopped.abort();
      await Promise.all(lanes);
      await dispatcher.close();
      return { answered, wrong };
    },
  };
}
