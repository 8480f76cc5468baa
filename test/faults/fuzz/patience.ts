/** An ordinary client beside the hostile ones: it sends ten requests a second, and every answer must come in time. */
import { setTimeout as wait } from 'node:timers/promises';

const ROUTES = ['/jobs?limit=5', '/targets', '/maintenance-status', '/sync_jobs?limit=5', '/health/ready'];
const LIMIT_MS = 2_000;

export function startPatience(url: string, token: string) {
  const stop = new AbortController();
  const violations: string[] = [];
  let answers = 0;
  let slowestMs = 0;
  const asking = (async () => {
    for (let at = 0; !stop.signal.aborted; at++) {
      const route = ROUTES[at % ROUTES.length] ?? '/';
      const began = performance.now();
      try {
        const headers = { authorization: `Bearer ${token}` };
        const answer = await fetch(url + route, { headers, signal: AbortSignal.timeout(LIMIT_MS) });
        await answer.arrayBuffer();
        // 401: its token has expired after a quarter of an hour.
        if (answer.status !== 200) violations.push(`an ordinary GET ${route} was answered ${answer.status}`);
        answers += 1;
      } catch (error) {
        violations.push(`an ordinary GET ${route} was not answered: ${String(error)}`);
      }
      slowestMs = Math.max(slowestMs, Math.round(performance.now() - began));
      await wait(100);
    }
  })();
  return {
    async stop() {
      stop.abort();
      await asking;
      return { answers, slowestMs, violations };
    },
  };
}
