/** Runs the embedded PostgreSQL of one data folder: starts it, or adopts the server of a killed owner. */
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ServerDidNotStart, startDetached } from './detached-server.ts';
import { changedPort, keepPort, keptPort } from './kept-port.ts';
import { type PostgresBinaries, postgresBinaries } from './postgres-binary.ts';
import { clusterPassword, createCluster, POSTGRES_ENV } from './postgres-cluster.ts';
import { askPid, findOrphan } from './postgres-orphan.ts';
import { placeOf, reachableBinaries } from './postgres-reach.ts';
import { postgresUser, type SystemUser } from './postgres-user.ts';
import { endProcess, isAlive, type ProcessIdentity } from './process-identity.ts';
import { signalProcess } from '../runner/process/process-stat.ts';

export type EmbeddedPostgres = {
  /** Connection URL of a database, as superuser. */
  url(database: string): string;
  readonly port: number;
  readonly pid: number;
  /** True when the server of a killed owner was adopted. */
  readonly adopted: boolean;
  /** Stops the server by a fast shutdown; safe to repeat. */
  readonly stop: () => Promise<void>;
  /** Stops it at once; the next start recovers from the WAL. */
  readonly kill: () => void;
};

/**
 * Starts PostgreSQL on 127.0.0.1, on the port of its last start if free. Data: `<dataDir>/postgres`; password:
 * `<dataDir>/postgres.password`; output: `<dataDir>/logs/postgres.log`. The server outlives this process until `stop()`.
 * @param options.except ports to avoid
 * @param options.ephemeral trades durability for speed, for temporary data
 * @throws Error naming the folder, package or user at fault, and the fix
 */
export async function startPostgres(options: {
  dataDir: string;
  onProgress?: (line: string) => void;
  ephemeral?: boolean;
  except?: ReadonlySet<number>;
}): Promise<EmbeddedPostgres> {
  const dataDir = path.resolve(options.dataDir);
  const clusterDir = path.join(dataDir, 'postgres');
  const say = options.onProgress ?? (() => undefined);
  const user = postgresUser();
  const binaries = reachableBinaries(postgresBinaries(), user, say);
  mkdirSync(path.join(dataDir, 'logs'), { recursive: true, mode: 0o700 });
  const password = clusterPassword(path.join(dataDir, 'postgres.password'));

  const orphan = existsSync(clusterDir) ? await findOrphan(clusterDir, password) : undefined;
  if (orphan !== undefined) {
    keepPort(dataDir, 'postgres', orphan.port);
    return handle(orphan.port, orphan.identity, password, true);
  }

  if (!existsSync(clusterDir)) {
    say('creating the Postgres cluster');
    await createCluster(clusterDir, password, binaries, user);
  }
  const logFile = path.join(dataDir, 'logs', 'postgres.log');
  const how = { dataDir, clusterDir, logFile, binaries, user, password, say };
  const { port, identity } = await launch(
    { ...how, ephemeral: options.ephemeral ?? false },
    options.except ?? new Set(),
  );
  return handle(port, identity, password, false);
}

/** Returns the running server of a data folder, by any owner; starts none. */
export async function findPostgres(dataDir: string): Promise<EmbeddedPostgres | undefined> {
  const clusterDir = path.join(dataDir, 'postgres');
  const passwordFile = path.join(dataDir, 'postgres.password');
  if (!existsSync(clusterDir) || !existsSync(passwordFile)) return undefined;
  const password = clusterPassword(passwordFile);
  const running = await findOrphan(clusterDir, password);
  return running && handle(running.port, running.identity, password, true);
}

type Launch = {
  dataDir: string;
  clusterDir: string;
  logFile: string;
  binaries: PostgresBinaries;
  user: SystemUser | undefined;
  password: string;
  ephemeral: boolean;
  say: (line: string) => void;
};

/**
 * What Postgres says while a killed server is not wholly gone: its backends have not noticed yet, or its parent has not reaped
 * it.
 */
const ENDING = ['pre-existing shared memory block', 'lock file "postmaster.pid" already exists'];
/** How long the processes of a killed server may take to end. */
const ENDING_MS = 20_000;

async function launch(
  options: Launch,
  except: ReadonlySet<number>,
): Promise<{ port: number; identity: ProcessIdentity }> {
  const taken = new Set(except);
  const deadline = Date.now() + ENDING_MS;
  let isWaiting = false;
  for (let tries = 3; ; ) {
    const kept = await keptPort({ dataDir: options.dataDir, server: 'postgres', except: taken });
    try {
      return await launchOn(options, kept);
    } catch (error) {
      if (!(error instanceof ServerDidNotStart)) throw error;
      const says = (words: string) => error.lines.some((line) => line.includes(words));
      if (says('Address already in use') && tries > 1) {
        taken.add(kept.port);
        tries -= 1;
      } else if (ENDING.some(says) && Date.now() < deadline) {
        if (!isWaiting) options.say('Postgres: waiting for the processes of a killed server to end');
        isWaiting = true;
        await wait(250);
      } else throw error;
    }
  }
}

async function launchOn(
  { dataDir, clusterDir, logFile, binaries, user, password, ephemeral, say }: Launch,
  kept: Awaited<ReturnType<typeof keptPort>>,
): Promise<{ port: number; identity: ProcessIdentity }> {
  const { port } = kept;
  const place = placeOf(clusterDir, user);
  const identity = await startDetached({
    name: `Postgres on ${clusterDir}`,
    command: [binaries.postgres, '-D', place.dataArgument, '-p', String(port), ...settings(ephemeral)],
    cwd: place.cwd,
    environment: POSTGRES_ENV,
    user,
    logFile,
    timeoutMs: 60_000,
    end: [
      ['SIGQUIT', 5_000],
      ['SIGKILL', 5_000],
    ],
    answers: () => isReady(port, password),
    livesWith: { file: path.join(clusterDir, 'postmaster.pid'), signal: 'SIGQUIT' },
  });
  if (kept.before !== undefined) say(changedPort('Postgres', kept));
  keepPort(dataDir, 'postgres', port);
  return { port, identity };
}

async function isReady(port: number, password: string): Promise<boolean> {
  try {
    await askPid(port, password);
    return true;
  } catch {
    return false; // refused or still starting: `startDetached` handles the deadline and an early exit
  }
}

function settings(ephemeral: boolean): string[] {
  const values = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    shared_buffers: '64MB',
    max_connections: '300',
    max_wal_size: '256MB',
    jit: 'off',
    log_timezone: 'UTC',
    timezone: 'UTC',
    ...(ephemeral ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

function handle(
  port: number,
  identity: ProcessIdentity,
  password: string,
  adopted: boolean,
): EmbeddedPostgres {
  return {
    url: (database) => `postgres://postgres:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
    port,
    pid: identity.pid,
    adopted,
    // SIGINT is Postgres' fast shutdown: it disconnects clients and writes a checkpoint.
    stop: () =>
      endProcess('Postgres', identity, [
        ['SIGINT', 20_000],
        ['SIGQUIT', 5_000],
        ['SIGKILL', 5_000],
      ]),
    kill: () => {
      if (isAlive(identity)) signalProcess(identity.pid, 'SIGQUIT');
    },
  };
}
