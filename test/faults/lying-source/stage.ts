/** The stage of the cases: its own Postgres and MariaDB, and for each lane a connection, a receiver, and its sources. */

import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { startPostgres } from '../../../src/embedded/postgres.ts';
import { startMariadb } from '../../support/mariadb.ts';
import { type FileSource, makeFileSource } from './file-source.ts';
import { type HttpSource, startHttpSource } from './http-source.ts';
import { type ConnectorPlace, connectorPlace, type Protocol } from './connector-place.ts';
import { type Drop, DROPS, type DropPlace, dropPlace } from './drop-place.ts';
import { READER } from './lies-of-databases.ts';
import { type OaiPlace, oaiPlace } from './oai-place.ts';
import { makeRunner, type Runner } from './program-run.ts';
import { mariadbPlace, postgresPlace, type SqlPlace, sqlitePlace } from './sql-place.ts';

export type Stage = {
  readonly client: Client;
  readonly runner: Runner;
  readonly http: HttpSource;
  readonly file: FileSource;
  readonly sql: Readonly<Record<SqlPlace['dialect'], SqlPlace>>;
  readonly drops: Readonly<Record<Drop, DropPlace>>;
  readonly oai: OaiPlace;
  readonly connectors: Readonly<Record<Protocol, ConnectorPlace>>;
  readonly sinkUrl: string;
};

export type Theatre = {
  lane(): Promise<Stage & { close(): Promise<void> }>;
  close(): Promise<void>;
};

export async function openTheatre(say: (line: string) => void): Promise<Theatre> {
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-lying-'));
  const [postgres, mariadb] = await Promise.all([
    startPostgres({ dataDir, onProgress: say, ephemeral: true }),
    startMariadb(),
  ]);
  const sinkUrl = postgres.url('lies');
  const admin = new Client({ connectionString: postgres.url('postgres') });
  await admin.connect();
  await admin.query('CREATE DATABASE lies');
  await admin.query(`CREATE ROLE ${READER.name} LOGIN PASSWORD '${READER.password}'`);
  let lanes = 0;
  return {
    async lane() {
      lanes += 1;
      const source = `source_${lanes}`;
      await admin.query(`CREATE DATABASE ${source}`);
      const client = new Client({ connectionString: sinkUrl, query_timeout: 30_000 });
      await client.connect();
      const [runner, http, file] = [await makeRunner(), await startHttpSource(), makeFileSource()];
      const sql = {
        postgres: await postgresPlace(postgres.url(source)),
        sqlite: sqlitePlace(),
        mysql: await mariadbPlace(mariadb),
      };
      const drops = Object.fromEntries(
        await Promise.all(DROPS.map(async (drop) => [drop, await dropPlace(drop)] as const)),
      ) as Record<Drop, DropPlace>;
      const oai = await oaiPlace();
      const connectors = { airbyte: connectorPlace('airbyte'), singer: connectorPlace('singer') };
      return {
        client,
        runner,
        http,
        file,
        sql,
        drops,
        oai,
        connectors,
        sinkUrl,
        async close() {
          for (const place of [
            ...Object.values(sql),
            ...Object.values(drops),
            ...Object.values(connectors),
            oai,
          ])
            await place.close();
          await http.close();
          await runner.close();
          await client.end();
          file.remove();
        },
      };
    },
    async close() {
      await admin.end();
      await mariadb[Symbol.asyncDispose]();
      await postgres.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
