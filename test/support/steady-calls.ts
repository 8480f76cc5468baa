/** Calls an api all the time, each call over a connection of its own, and remembers what was not answered as it should be. */
import { setTimeout as wait } from 'node:timers/promises';
import { Agent, request } from 'undici';

const DEADLINE_MS = 15_000;
const PAUSE_MS = 50;

export type SteadyCalls = {
  /** Ends them. @returns how many were answered, and what was wrong: broken, late, or another status than wanted */
  stop(): Promise<{ answered: number; wrong: string[] }>;
};

/** @param calls each of them again and again, beside the others */
export function startSteadyCalls(
  url: string,
  token: string,
  calls: readonly { readonly method: 'GET' | 'DELETE'; readonly route: string; readonly status: number }[],
): SteadyCalls {
  // As many strangers do: nobody is held to the pod that took his first call.
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
