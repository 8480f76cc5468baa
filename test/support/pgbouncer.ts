/** Debian's PgBouncer in front of a Postgres, in the pool mode that a test asks for. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from '../../src/embedded/ports.ts';
import { postgresUser } from '../../src/embedded/postgres-user.ts';

const PROGRAM = '/usr/sbin/pgbouncer';
const START_MS = 15_000;

export type PgBouncer = AsyncDisposable & { readonly port: number; through(url: string): string };

/**
 * @param url of the Postgres; all its databases are passed on
 * @param settings of pgbouncer.ini beside its mode
 */
export async function startPgBouncer(
  url: string,
  mode: 'session' | 'transaction' | 'statement',
  settings: Readonly<Record<string, string | number>> = {},
): Promise<PgBouncer> {
  if (!existsSync(PROGRAM)) throw new Error('PgBouncer is needed: apt-get install pgbouncer');
  const { hostname, port: postgresPort, username, password } = new URL(url);
  const port = await freePort();
  const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-pgbouncer-'));
  chmodSync(dir, 0o755);
  const file = path.join(dir, 'pgbouncer.ini');
  const ours = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'any',
    pool_mode: mode,
    default_pool_size: 60,
    server_login_retry: 1,
    ...settings,
  };
  const to = `host=${hostname} port=${postgresPort} user=${decodeURIComponent(username)} password=${decodeURIComponent(password)}`;
  const lines = Object.entries(ours).map(([name, value]) => `${name}=${value}`);
  writeFileSync(file, `[databases]\n* = ${to}\n[pgbouncer]\n${lines.join('\n')}\n`, { mode: 0o644 });
  const child = spawn(PROGRAM, ['-q', file], { ...postgresUser(), cwd: '/', stdio: 'ignore' });
  const through = (of: string) => {
    const changed = new URL(of);
    changed.host = `127.0.0.1:${port}`;
    return changed.href;
  };
  for (const deadline = Date.now() + START_MS; !(await answers(port)); await wait(50))
    if (Date.now() > deadline || child.exitCode !== null) throw new Error('PgBouncer did not start');
  return {
    port,
    through,
    async [Symbol.asyncDispose]() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Resolves even if the Postgres behind it is down. */
async function answers(port: number): Promise<boolean> {
  const socket = net.connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(1_000) });
    return true;
  } catch {
    return false; // still starting
  } finally {
    socket.destroy();
  }
}
