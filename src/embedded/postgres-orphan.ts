/** Finds a Postgres that outlived its killed owner, by its pid file. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { commandLine, identify, isAlive, type ProcessIdentity } from './process-identity.ts';

/**
 * Returns the server running on this cluster folder, if it accepts our password. Ignores the pid file of a dead process,
 * which Postgres itself checks at its next start.
 * @throws Error when a running Postgres holds the folder but rejects our password
 */
export async function findOrphan(
  clusterDir: string,
  password: string,
): Promise<{ port: number; identity: ProcessIdentity } | undefined> {
  const found = readPidFile(clusterDir);
  if (found === undefined) return undefined;
  const identity = identify(found.pid);
  if (identity === undefined || !commandLine(found.pid).includes('postgres')) return undefined;
  const deadline = Date.now() + 20_000;
  let last: unknown;
  // The server may be in recovery or shutting down.
  while (Date.now() < deadline && isAlive(identity)) {
    try {
      const pid = await askPid(found.port, password);
      if (pid === found.pid) return { port: found.port, identity };
      last = new Error(`port ${found.port} belongs to the Postgres of pid ${pid}`);
    } catch (error) {
      last = error;
    }
    await wait(200);
  }
  if (!isAlive(identity)) return undefined;
  throw new Error(
    `Postgres (pid ${found.pid}) already runs on ${clusterDir} and rejects our connection: stop it with kill -INT ${found.pid}`,
    { cause: last },
  );
}

/** Queries the pid of the server from its pid file, which also proves that it answers and accepts our password. */
export async function askPid(port: number, password: string): Promise<number> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password,
    database: 'postgres',
    ssl: false,
    connectionTimeoutMillis: 2_000,
    query_timeout: 2_000,
  });
  // If the server ends meanwhile, the query rejects.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ file: string }>("SELECT pg_read_file('postmaster.pid') AS file");
    return Number(rows[0]?.file.split('\n')[0]);
  } finally {
    await client.end();
  }
}

function readPidFile(clusterDir: string): { pid: number; port: number } | undefined {
  let lines: string[];
  try {
    lines = readFileSync(path.join(clusterDir, 'postmaster.pid'), 'utf8').split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  return pid > 0 && port > 0 ? { pid, port } : undefined;
}
