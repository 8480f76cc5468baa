/** A real Postgres for one run of the program, with a database for each story: a copy of a prepared one. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { startPostgres } from '../../../src/embedded/postgres.ts';
import { signalProcess } from '../../../src/runner/process/process-stat.ts';

export type Server = AsyncDisposable & {
  /** Creates a database, empty or as a copy of another without connections. */
  database(template?: string): Promise<Database>;
};

export type Database = AsyncDisposable & { readonly name: string; readonly url: string };

export async function startServer(): Promise<Server> {
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-sink-kill-'));
  const postgres = await startPostgres({ dataDir, ephemeral: true });
  // The server would outlive the process that started it.
  const end = (): void => {
    signalProcess(postgres.pid, 'SIGKILL');
    rmSync(dataDir, { recursive: true, force: true });
  };
  process.on('exit', end);
  const admin = new Client({ connectionString: postgres.url('postgres'), query_timeout: 60_000 });
  await admin.connect();
  // Vacuum takes the lock that the readers watch for; it is not ours.
  await admin.query('ALTER SYSTEM SET autovacuum = off');
  await admin.query('SELECT pg_reload_conf()');
  await admin.query('CREATE ROLE sink_reader');
  let made = 0;
  return {
    async database(template) {
      made += 1;
      const name = `story_${made}`;
      await admin.query(
        `CREATE DATABASE ${name} ${template === undefined ? '' : `TEMPLATE ${template} STRATEGY FILE_COPY`}`,
      );
      return {
        name,
        url: postgres.url(name),
        async [Symbol.asyncDispose]() {
          await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await admin.end();
      await postgres.stop();
      process.off('exit', end);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
