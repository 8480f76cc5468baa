/** The stage of the cases: its own Postgres, and for each lane a connection, a receiver, a server and a file. */

import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { startPostgres } from '../../../src/embedded/postgres.ts';
import type { Stage } from './case.ts';
import { makeFileSource } from './file-source.ts';
import { startHttpSource } from './http-source.ts';
import { makeRunner } from './program-run.ts';

export type Theatre = {
  lane(): Promise<Omit<Stage, 'table'> & { close(): Promise<void> }>;
  close(): Promise<void>;
};

export async function openTheatre(say: (line: string) => void): Promise<Theatre> {
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-lying-'));
  const postgres = await startPostgres({ dataDir, onProgress: say, ephemeral: true });
  const sinkUrl = postgres.url('lies');
  const admin = new Client({ connectionString: postgres.url('postgres') });
  await admin.connect();
  await admin.query('CREATE DATABASE lies');
  await admin.end();
  return {
    async lane() {
      const client = new Client({ connectionString: sinkUrl, query_timeout: 30_000 });
      await client.connect();
      const [runner, http, file] = [await makeRunner(), await startHttpSource(), makeFileSource()];
      return {
        client,
        runner,
        http,
        file,
        sinkUrl,
        async close() {
          await http.close();
          await runner.close();
          await client.end();
          file.remove();
        },
      };
    },
    async close() {
      await postgres.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
