/** Debian's MariaDB in a folder of its own, on a free port, with databases for tests. */
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, copyFileSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createConnection } from 'mysql2';
import { freePort } from '../../src/embedded/ports.ts';
import { postgresUser } from '../../src/embedded/postgres-user.ts';
import type { Certificate } from './certificates.ts';

const PROGRAM = '/usr/sbin/mariadbd';
const START_MS = 60_000;
const PASSWORD = 'hush-maria';

export type Mariadb = AsyncDisposable & {
  readonly url: (database: string) => string;
  readonly exec: (database: string, sql: string) => Promise<unknown[]>;
  /** Makes a database with a name of its own. */
  readonly createDatabase: () => Promise<string>;
};

/** @param tls files for encrypted connections, which clients may choose */
export async function startMariadb(tls?: Certificate & { readonly ca: string }): Promise<Mariadb> {
  if (!existsSync(PROGRAM))
    throw new Error('MariaDB is needed: apt-get install --no-install-recommends mariadb-server');
  const user = postgresUser();
  const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-mariadb-'));
  if (user) chownSync(dir, user.uid, user.gid);
  const data = path.join(dir, 'data');
  const install = [
    '--no-defaults',
    `--datadir=${data}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
  ];
  const made = spawnSync('mariadb-install-db', install, { ...user, cwd: dir, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`mariadb-install-db: ${made.stdout}${made.stderr}`);
  const port = await freePort();
  const options = [
    '--no-defaults',
    `--datadir=${data}`,
    `--socket=${path.join(dir, 'socket')}`,
    `--pid-file=${path.join(dir, 'pid')}`,
    `--tmpdir=${dir}`,
    '--bind-address=127.0.0.1',
    `--port=${port}`,
    '--innodb-buffer-pool-size=64M',
    '--innodb-flush-log-at-trx-commit=0',
    '--skip-name-resolve',
    ...(tls ? tlsOptions(tls, dir) : []),
  ];
  if (user)
    for (const file of globSync('*.pem', { cwd: dir })) chownSync(path.join(dir, file), user.uid, user.gid);
  const child = spawn(PROGRAM, options, { ...user, cwd: dir, stdio: 'ignore' });
  const url = (database: string): string => `mysql://source:${PASSWORD}@127.0.0.1:${port}/${database}`;
  const exec: Mariadb['exec'] = (database, sql) => execute(url(database), sql);
  const makeUser = `GRANT ALL ON *.* TO source@'%' IDENTIFIED BY '${PASSWORD}' WITH GRANT OPTION`;
  for (const deadline = Date.now() + START_MS; ; await wait(100)) {
    try {
      await execute(`mysql://root@127.0.0.1:${port}/mysql`, makeUser);
      break;
    } catch (error) {
      if (Date.now() > deadline || child.exitCode !== null)
        throw new Error('MariaDB does not start', { cause: error });
    }
  }
  return {
    url,
    exec,
    async createDatabase() {
      const name = `test_${randomUUID().replaceAll('-', '')}`;
      await exec('mysql', `CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`);
      return name;
    },
    async [Symbol.asyncDispose]() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Copies the files to where the server's user can read them. */
function tlsOptions({ crt, key, ca }: Certificate & { ca: string }, dir: string): string[] {
  return Object.entries({ ca, cert: crt, key }).map(([name, from]) => {
    const file = path.join(dir, `${name}.pem`);
    copyFileSync(from, file);
    return `--ssl-${name}=${file}`;
  });
}

async function execute(url: string, sql: string): Promise<unknown[]> {
  const connection = createConnection({ uri: url, charset: 'utf8mb4', multipleStatements: true });
  connection.on('error', () => {});
  try {
    return await new Promise((resolve, reject) => {
      connection.query(sql, (error, rows) => {
        if (error) reject(error);
        else resolve(Array.isArray(rows) ? rows : []);
      });
    });
  } finally {
    connection.destroy();
  }
}
