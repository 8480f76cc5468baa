/** Postgres and Temporal as parts, each behind its own link: they may come back on another port. */
import { execFileSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { type EmbeddedPostgres, startPostgres } from '../../../src/embedded/postgres.ts';
import { type EmbeddedTemporal, startTemporal } from '../../../src/embedded/temporal.ts';
import { readProcessStat, signalProcess } from '../../../src/runner/process/process-stat.ts';
import type { FaultPart } from './part.ts';
import type { Link } from './toxiproxy.ts';

export type ServerPart<Server> = FaultPart & {
  readonly server: Server;
  stop(): Promise<void>;
};

/** Keeps committed data across a SIGKILL. */
export async function createPostgresPart(dataDir: string): Promise<ServerPart<EmbeddedPostgres> & Linked> {
  const start = () => retried(() => startPostgres({ dataDir }));
  return createServerPart('Postgres', start, (server) => `127.0.0.1:${server.port}`);
}

export async function createTemporalPart(dataDir: string): Promise<ServerPart<EmbeddedTemporal> & Linked> {
  return createServerPart(
    'Temporal',
    () => startTemporal({ dataDir }),
    (server) => server.address,
  );
}

type Linked = { readonly address: string; behind(...links: Link[]): void };

async function createServerPart<Server extends { readonly pid: number; stop(): Promise<void> }>(
  name: string,
  start: () => Promise<Server>,
  addressOf: (server: Server) => string,
): Promise<ServerPart<Server> & Linked> {
  let server = await start();
  // Both would outlive the process that started them.
  process.on('exit', () => signalProcess(server.pid, 'SIGKILL'));
  const links: Link[] = [];
  return {
    name,
    get server() {
      return server;
    },
    get address() {
      return addressOf(server);
    },
    behind: (...given) => void links.push(...given),
    async start() {
      server = await start();
      for (const link of links) await link.pointTo(addressOf(server));
    },
    async kill() {
      signalProcess(server.pid, 'SIGKILL');
      while (readProcessStat(server.pid) !== undefined) await wait(10);
    },
    pause: () => withChildren(server.pid).forEach((pid) => signalProcess(pid, 'SIGSTOP')),
    resume: () => withChildren(server.pid).forEach((pid) => signalProcess(pid, 'SIGCONT')),
    stop: () => server.stop(),
  };
}

/** Postgres runs a process per connection. */
function withChildren(pid: number): number[] {
  const table = execFileSync('ps', ['-e', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const rows = table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  return [pid, ...rows.flatMap(([of, parent]) => (parent === pid && of !== undefined ? [of] : []))];
}

/** A killed postmaster leaves its children for a moment, and its successor refuses to start meanwhile. */
async function retried<T>(start: () => Promise<T>): Promise<T> {
  for (let left = 40; ; left--) {
    try {
      return await start();
    } catch (error) {
      if (left === 0) throw error;
      await wait(250);
    }
  }
}
