/** Stands in for api, worker and demo source: reports its start and end, and otherwise only waits. */
import { appendFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';

export function runStandIn(name: string, message: { url?: string; adminPassword?: string } = {}): void {
  const events = path.join(process.env['SYNCRATOR_DATA'] ?? '', 'events');
  const note = (what: string) => appendFileSync(events, `${name} ${what}\n`);
  // As server.ts and worker.ts do: the channel closes when `npm start` is killed.
  process.on('disconnect', () => process.exit(0));
  process.on('SIGTERM', () => {
    note('stops');
    process.exit(0);
  });
  const idle = setInterval(() => undefined, 60_000);
  const ready = () => {
    note('starts');
    for (const variable of ['METRICS_PORT', 'DEMO_PORT'])
      if (process.env[variable]) note(`${variable}=${process.env[variable]}`);
    process.send?.({ ready: true, ...message });
  };
  if (name !== 'api') return ready();
  idle.unref();
  http
    .createServer((_, response) => response.end('ok'))
    .listen(Number(process.env['PORT']), process.env['HOST'] ?? '127.0.0.1', ready);
}
