/** Recognises a Postgres that outlived the process which started it (a SIGKILL), by its own pid file. */
import { readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { commandLine, identify, isAlive, type ProcessIdentity } from './process-identity.ts';

/**
 * The server running on this cluster folder, if there is one and it accepts our password. A pid file of a dead process
 * is no orphan and is left alone: Postgres itself judges it at its next start.
 * @throws Error when a living Postgres holds the folder but does not let us in
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
  // It may be in recovery, or just be ending.
  while (Date.now() < deadline && isAlive(identity)) {
    try {
      const dataDirectory = await askDataDirectory(found.port, password);
      if (realpathSync(dataDirectory) === realpathSync(clusterDir)) return { port: found.port, identity };
      last = new Error(`port ${found.port} belongs to ${dataDirectory}`);
    } catch (error) {
      last = error;
    }
    await wait(200);
  }
  if (!isAlive(identity)) return undefined;
  throw new Error(
    `Postgres (pid ${found.pid}) already runs on ${clusterDir} and does not let us in: end it with kill -INT ${found.pid}`,
    { cause: last },
  );
}

/** Asks the server for its data folder: at the same time the proof that it answers and takes our password. */
export async function askDataDirectory(port: number, password: string): Promise<string> {
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
  // The server may end in the middle of it; the query's own rejection tells.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
    return rows[0]?.data_directory ?? '';
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
