/** Runs the embedded PostgreSQL of one data folder: started, or adopted if its last owner was killed. */
import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { ServerDidNotStart, startDetached } from './detached.ts';
import { freePort } from './ports.ts';
import { type PostgresBinaries, postgresBinaries } from './postgres-binary.ts';
import { clusterPassword, createCluster, POSTGRES_ENV } from './postgres-cluster.ts';
import { askDataDirectory, findOrphan } from './postgres-orphan.ts';
import { postgresUser, type SystemUser, unreachable } from './postgres-user.ts';
import { endProcess, isAlive, type ProcessIdentity } from './process-identity.ts';
import { signalProcess } from '../process-stat.ts';

export type EmbeddedPostgres = {
  /** The superuser's address of a database. */
  url(database: string): string;
  readonly port: number;
  readonly pid: number;
  /** True when the server was already running, left over from a killed owner. */
  readonly adopted: boolean;
  /** Ends the server by its fast shutdown; safe to repeat. */
  readonly stop: () => Promise<void>;
  /** Ends it at once; the next start recovers from its log. */
  readonly kill: () => void;
};

/**
 * Starts PostgreSQL on 127.0.0.1, on a free port, with its data in `<dataDir>/postgres`, its password in
 * `<dataDir>/postgres.password` and its output in `<dataDir>/logs/postgres.log`. Nothing stops it but `stop()`.
 * @param options.ephemeral gives up durability for speed: for folders that are thrown away
 * @throws Error naming the folder, package or user that is wrong, and the fix
 */
export async function startPostgres(options: {
  dataDir: string;
  onProgress?: (line: string) => void;
  ephemeral?: boolean;
}): Promise<EmbeddedPostgres> {
  const dataDir = path.resolve(options.dataDir);
  const clusterDir = path.join(dataDir, 'postgres');
  const binaries = postgresBinaries();
  const user = postgresUser();
  mkdirSync(path.join(dataDir, 'logs'), { recursive: true, mode: 0o700 });
  if (user !== undefined) assertReachable(dataDir, binaries, user);
  const password = clusterPassword(path.join(dataDir, 'postgres.password'));

  const orphan = existsSync(clusterDir) ? await findOrphan(clusterDir, password) : undefined;
  if (orphan !== undefined) return handle(orphan.port, orphan.identity, password, true);

  if (!existsSync(clusterDir)) {
    options.onProgress?.('creating the Postgres cluster');
    await createCluster(clusterDir, password, binaries, user);
  }
  const logFile = path.join(dataDir, 'logs', 'postgres.log');
  const { port, identity } = await launch({
    clusterDir,
    logFile,
    binaries,
    user,
    password,
    ephemeral: options.ephemeral ?? false,
  });
  return handle(port, identity, password, false);
}

/** The server of a data folder while it runs, whoever started it; starts none. */
export async function findPostgres(dataDir: string): Promise<EmbeddedPostgres | undefined> {
  const clusterDir = path.join(dataDir, 'postgres');
  const passwordFile = path.join(dataDir, 'postgres.password');
  if (!existsSync(clusterDir) || !existsSync(passwordFile)) return undefined;
  const password = clusterPassword(passwordFile);
  const running = await findOrphan(clusterDir, password);
  return running && handle(running.port, running.identity, password, true);
}

type Launch = {
  clusterDir: string;
  logFile: string;
  binaries: PostgresBinaries;
  user: SystemUser | undefined;
  password: string;
  ephemeral: boolean;
};

async function launch(options: Launch, attempt = 1): Promise<{ port: number; identity: ProcessIdentity }> {
  const { clusterDir, logFile, binaries, user, password } = options;
  const port = await freePort();
  try {
    const identity = await startDetached({
      name: `Postgres on ${clusterDir}`,
      command: [binaries.postgres, '-D', clusterDir, '-p', String(port), ...settings(options.ephemeral)],
      cwd: '/',
      environment: POSTGRES_ENV,
      user,
      logFile,
      timeoutMs: 60_000,
      end: [
        ['SIGQUIT', 5_000],
        ['SIGKILL', 5_000],
      ],
      answers: () => isReady(port, password),
    });
    return { port, identity };
  } catch (error) {
    const isTaken =
      error instanceof ServerDidNotStart &&
      error.lines.some((line) => line.includes('Address already in use'));
    if (attempt < 3 && isTaken) return await launch(options, attempt + 1);
    throw error;
  }
}

async function isReady(port: number, password: string): Promise<boolean> {
  try {
    await askDataDirectory(port, password);
    return true;
  } catch {
    return false; // refused or still starting: `launch` keeps the deadline and sees an early end
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
    // SIGINT is Postgres' fast shutdown: it does not wait for clients, but writes everything down.
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

function assertReachable(dataDir: string, binaries: PostgresBinaries, user: SystemUser): void {
  // Our own folder, made with mode 0700: entering is all that Postgres needs.
  const mode = statSync(dataDir).mode;
  if (unreachable(path.dirname(dataDir), user) === undefined && unreachable(dataDir, user) !== undefined) {
    chmodSync(dataDir, (mode & 0o7777) | 0o001);
  }
  for (const [target, fix] of [
    [binaries.postgres, 'move the checkout elsewhere'],
    [dataDir, 'set SYNCRATOR_DATA to a folder elsewhere'],
  ] as const) {
    const folder = unreachable(target, user);
    if (folder === undefined) continue;
    throw new Error(
      `Postgres runs as the user "postgres" (it refuses root), who cannot enter ${folder}: ` +
        `chmod o+x ${folder}, ${fix}, or run as an ordinary user`,
    );
  }
}
