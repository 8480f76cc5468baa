/** Debian's PostgreSQL with its own pg_dump, pg_restore and pg_basebackup, which the embedded one lacks. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from '../../src/embedded/ports.ts';
import { postgresUser } from '../../src/embedded/postgres-user.ts';
import type { Certificate } from './certificates.ts';

const ROOT = '/usr/lib/postgresql';
const START_MS = 30_000;
const ENVIRONMENT = { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' };

export type DebianPostgres = AsyncDisposable & {
  readonly port: number;
  url(database: string): string;
  /** Runs pg_dump or pg_restore as a user that the server trusts. */
  run(program: 'pg_dump' | 'pg_restore' | 'createdb', ...args: string[]): Promise<void>;
  /** A standby that follows it until it is promoted. */
  startStandby(): Promise<DebianPostgres>;
};

/**
 * Starts a new, empty cluster.
 * @param certificate lets it speak TLS, too
 * @throws Error that names the missing package
 */
export async function startDebianPostgres(certificate?: Certificate): Promise<DebianPostgres> {
  return await start({ certificate });
}

async function start(of: {
  certificate?: Certificate | undefined;
  /** The port of the server that it follows as a standby. */
  follows?: number;
}): Promise<DebianPostgres> {
  const { certificate, follows } = of;
  const bin = path.join(ROOT, newestVersion(), 'bin');
  const user = postgresUser();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-debian-pg-'));
  chmodSync(folder, 0o755);
  const data = path.join(folder, 'data');
  mkdirSync(data, { mode: 0o700 });
  if (user) chownSync(data, user.uid, user.gid);
  const options = { ...user, env: ENVIRONMENT, cwd: '/' };
  const initdb = ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--no-sync'];
  const copy = [
    '-D',
    data,
    '-h',
    '127.0.0.1',
    '-p',
    `${follows}`,
    '-U',
    'postgres',
    '-R',
    '-c',
    'fast',
    '--no-sync',
  ];
  const [program, args] =
    follows === undefined ? (['initdb', initdb] as const) : (['pg_basebackup', copy] as const);
  await promisify(execFile)(path.join(bin, program), args, { ...options, timeout: 60_000 });
  for (const [from, name] of certificate
    ? ([
        [certificate.crt, 'server.crt'],
        [certificate.key, 'server.key'],
      ] as const)
    : []) {
    const file = path.join(data, name);
    copyFileSync(from, file);
    chmodSync(file, 0o600);
    if (user) chownSync(file, user.uid, user.gid);
  }
  const port = await freePort();
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    ssl: certificate ? 'on' : 'off',
  };
  const arguments_ = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server: ChildProcess = spawn(path.join(bin, 'postgres'), ['-D', data, ...arguments_], {
    ...options,
    stdio: 'ignore',
  });
  const url = (database: string) => `postgres://postgres@127.0.0.1:${port}/${database}`;
  for (const deadline = Date.now() + START_MS; !(await answers(url('postgres'))); await wait(50))
    if (Date.now() > deadline || server.exitCode !== null) throw new Error(`${bin}/postgres did not start`);
  return {
    port,
    url,
    startStandby: () => start({ follows: port }),
    async run(program, ...args) {
      const where = ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres'];
      await promisify(execFile)(path.join(bin, program), [...where, ...args], {
        env: ENVIRONMENT,
        timeout: 60_000,
      });
    },
    async [Symbol.asyncDispose]() {
      const gone = once(server, 'exit');
      server.kill('SIGQUIT');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function newestVersion(): string {
  const versions = existsSync(ROOT)
    ? readdirSync(ROOT).filter((name) => existsSync(path.join(ROOT, name, 'bin/initdb')))
    : [];
  const newest = versions.toSorted((a, b) => Number(b) - Number(a))[0];
  if (newest === undefined)
    throw new Error('a PostgreSQL with pg_dump is needed: apt-get install postgresql');
  return newest;
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false; // still starting
  } finally {
    await client.end().catch(() => undefined);
  }
}
