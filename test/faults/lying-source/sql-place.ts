/** A table of a database as a source, for each dialect; a case may do with its database what it likes. */

import { mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import type { Mariadb } from '../../support/mariadb.ts';
import { type Cut, startStatementProxy, type StatementProxy } from '../../job/support/statement-proxy.ts';
import type { Row } from './model.ts';
import type { RowPlace } from './row-lie.ts';
import { OLD } from './story.ts';

export type SqlPlace = RowPlace & {
  readonly dialect: 'postgres' | 'sqlite' | 'mysql';
  /** Runs statements in a session outside of the source. */
  exec(sql: string): Promise<void>;
  /** Runs statements while the program goes on; {@link RowPlace.settle} waits for them. */
  execMeanwhile(sql: string): void;
  /** SQLite alone: its file. */
  readonly file: string;
  /** PostgreSQL alone: puts a proxy before the database; `onStatement` gets the beginning of each statement. */
  relay(of: { cut?: Cut; onStatement?: (text: string) => void }): Promise<void>;
};

const SQL_SETTINGS = {
  SOURCE: 'sql',
  SOURCE_TABLE: 'places',
  SOURCE_ID: 'id',
  SOURCE_UPDATED_AT: 'updated_at',
  SOURCE_DELETED_AT: 'deleted_at',
};

type Dialect = {
  readonly kind: SqlPlace['dialect'];
  readonly url: string;
  readonly text: string;
  readonly timestamp: string;
  /** From when the first delta reads. */
  readonly since: () => number;
  readonly file?: string;
  quote(text: string): string;
  timeOf(iso: string): string;
  /** Begins with an empty database. */
  reset(): Promise<void>;
  exec(sql: string): Promise<void>;
  close(): Promise<void>;
};

const HOUR_MS = 3_600_000;

function placeOf(dialect: Dialect): SqlPlace {
  let relayed: StatementProxy | null = null;
  const begun: Promise<void>[] = [];
  const { exec } = dialect;
  const settle = async (): Promise<void> => {
    await relayed?.[Symbol.asyncDispose]();
    relayed = null;
    await Promise.all(begun.splice(0));
  };
  const place: SqlPlace = {
    dialect: dialect.kind,
    file: dialect.file ?? '',
    settings: {},
    since: dialect.since,
    shape: withName,
    exec,
    execMeanwhile: (sql) => void begun.push(exec(sql)),
    async relay({ cut, onStatement }) {
      const proxy: StatementProxy = await startStatementProxy({
        url: dialect.url,
        ...(cut ? { cut } : {}),
        ...(onStatement ? { onStatement: (number) => onStatement(proxy.statements[number - 1] ?? '') } : {}),
      });
      relayed = proxy;
      place.settings['SOURCE_URL'] = proxy.url;
    },
    async put(rows) {
      await settle();
      await dialect.reset();
      const { text, timestamp } = dialect;
      await exec(
        `CREATE TABLE places (id ${text}, name ${text}, updated_at ${timestamp}, deleted_at ${timestamp})`,
      );
      if (rows.length > 0) await exec(insertOf(rows, dialect));
      place.settings = { ...SQL_SETTINGS, SOURCE_URL: dialect.url };
    },
    ready: async () => {},
    settle,
    async close() {
      await settle();
      await dialect.close();
    },
  };
  return place;
}

function insertOf(rows: readonly Row[], { quote, timeOf }: Dialect): string {
  const values = rows.map(({ id, updated_at: at, json }) => {
    const { name } = JSON.parse(json) as { name?: string | null };
    return `(${quote(id)}, ${name === undefined || name === null ? 'NULL' : quote(name)}, '${timeOf(at)}', NULL)`;
  });
  return `INSERT INTO places VALUES ${values.join(', ')}`;
}

/** A table has the same columns for every record. */
function withName(row: Row): Row {
  return row.json === '{}' ? { ...row, json: '{"name":null}' } : row;
}

const doubled = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** @param url of an empty database */
export async function postgresPlace(url: string): Promise<SqlPlace> {
  const client = new Client({ connectionString: url, query_timeout: 30_000 });
  await client.connect();
  const exec = async (sql: string): Promise<void> => void (await client.query(sql));
  return placeOf({
    kind: 'postgres',
    url,
    text: 'text',
    timestamp: 'timestamptz',
    since: () => Date.now() - HOUR_MS,
    quote: doubled,
    timeOf: (iso) => iso,
    reset: () => exec('DROP SCHEMA public CASCADE; CREATE SCHEMA public'),
    exec,
    close: () => client.end(),
  });
}

export function sqlitePlace(): SqlPlace {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-lying-sqlite-'));
  const file = path.join(folder, 'source.db');
  const exec = async (sql: string): Promise<void> => {
    const database = new DatabaseSync(file, { timeout: 5_000 });
    try {
      database.exec(sql);
    } finally {
      database.close();
    }
  };
  return placeOf({
    kind: 'sqlite',
    url: `sqlite:${file}`,
    file,
    text: 'TEXT',
    timestamp: 'TIMESTAMP',
    // A file has no clock: an hour before the newest row of the first sync.
    since: () => Date.parse(OLD) - HOUR_MS / 2,
    quote: doubled,
    timeOf: (iso) => iso,
    async reset() {
      for (const end of ['', '-wal', '-shm', '-journal'])
        rmSync(`${file}${end}`, { recursive: true, force: true });
      await exec('PRAGMA journal_mode = WAL');
    },
    exec,
    close: async () => rmSync(folder, { recursive: true, force: true }),
  });
}

export async function mariadbPlace(server: Mariadb): Promise<SqlPlace> {
  const name = await server.createDatabase();
  const exec = async (sql: string): Promise<void> => void (await server.exec(name, sql));
  return placeOf({
    kind: 'mysql',
    url: server.url(name),
    text: 'VARCHAR(2000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
    timestamp: 'DATETIME(6)',
    // Times without a zone may be so early (src/job/sources/sql/zone.ts).
    since: () => Date.now() - 13 * HOUR_MS,
    quote: (text) => doubled(text.replaceAll('\\', '\\\\')),
    timeOf: (iso) => iso.replace('T', ' ').replace('Z', ''),
    reset: () => exec('DROP TABLE IF EXISTS places, all_places; DROP VIEW IF EXISTS places'),
    exec,
    close: async () => void (await server.exec('mysql', `DROP DATABASE ${name}`)),
  });
}
