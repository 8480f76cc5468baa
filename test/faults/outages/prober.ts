/** Calls the api all the time, whatever is down: every answer must come in time and reveal nothing. */
import { inspect } from 'node:util';
import { setTimeout as wait } from 'node:timers/promises';
import type { Answer } from '../rig/api-client.ts';
import { tooLate } from '../rig/busyness.ts';
import type { Rig } from '../rig/rig.ts';

/** Limit of every answer on an idle machine, whatever is down. */
const HANG_S = 15;
const PAUSE_MS = 150;

export type Prober = AsyncDisposable & {
  /** Violations since the last call of this function, with the number of answers and the slowest in seconds. */
  report(): { violations: string[]; late: string[]; answers: number; refused: number; slowest: number };
  /** Whether reads must be answered with 200 from now on. */
  expectReads(all: boolean): void;
};

/**
 * @param running running jobs, for reads
 * @param ended an ended job: cancelling it changes nothing
 * @param start requests a further job, if there is one
 */
export function startProber(
  rig: Rig,
  {
    running,
    ended,
    start,
  }: { running: readonly number[]; ended: number; start: () => Promise<Answer | undefined> },
): Prober {
  let on = true;
  let readsExpected = true;
  let answers = 0;
  let refused = 0;
  let slowestMs = 0;
  let violations: string[] = [];
  let late: string[] = [];
  let turn = 0;

  const lanes = [
    () => ask('GET', '/jobs?limit=50'),
    () => ask('GET', `/jobs/${running[turn++ % running.length]}`),
    () => ask('DELETE', `/jobs/${ended}`),
    () => judged('POST /run', start),
  ].map(async (call) => {
    for (; on; await wait(PAUSE_MS)) await call();
  });

  function ask(method: string, route: string): Promise<void> {
    return judged(`${method} ${route}`, () =>
      rig.api.call(method, route, { timeoutMs: 2 * HANG_S * 1000 * rig.busyness.factor() }),
    );
  }

  async function judged(what: string, call: () => Promise<Answer | undefined>): Promise<void> {
    const strict = readsExpected;
    const began = Date.now();
    try {
      const answer = await call();
      if (answer) judge(what, answer, strict && readsExpected);
    } catch (error) {
      // No outage ends an api, so its connections must not break either.
      violations.push(
        `${what}: ${inspect(error, { depth: 1, compact: true, breakLength: Infinity }).slice(0, 400)} after ${Date.now() - began} ms`,
      );
    }
  }

  function judge(what: string, { status, headers, milliseconds }: Answer, strict: boolean): void {
    answers += 1;
    if (status === 503) refused += 1;
    slowestMs = Math.max(slowestMs, milliseconds);
    const bound = { seconds: HANG_S, factor: rig.busyness.factor(Date.now() - milliseconds) };
    late.push(...tooLate(`${what} was answered after`, milliseconds / 1000, bound));
    if (status >= 500 && status !== 503) violations.push(`${what} was answered ${status}`);
    if (status === 503 && !headers.has('retry-after')) violations.push(`${what}: 503 without Retry-After`);
    if (strict && what.startsWith('GET') && status !== 200)
      violations.push(`${what} was answered ${status} while Postgres was up`);
  }

  return {
    expectReads(all) {
      readsExpected = all;
    },
    report() {
      const told = { violations, late, answers, refused, slowest: Math.round(slowestMs / 10) / 100 };
      [violations, late, answers, refused, slowestMs] = [[], [], 0, 0, 0];
      return told;
    },
    async [Symbol.asyncDispose]() {
      on = false;
      await Promise.all(lanes);
    },
  };
}
