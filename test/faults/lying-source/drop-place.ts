/** Files as a source: one of each format, several behind a pattern, or one on a web server. */

import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { type FileServer, startFileServer } from '../../job/sources/files/support/file-server.ts';
import type { Row } from './model.ts';
import type { RowPlace } from './row-lie.ts';

export const DROPS = ['csv', 'ndjson', 'json', 'parquet', 'csv.gz', 'pattern', 'web'] as const;
export type Drop = (typeof DROPS)[number];

/** A file before it is written. */
export type Dropped = {
  name: string;
  bytes: Buffer;
  /** The file `.total` beside it. */
  total: string | null;
  instead: 'nothing' | 'directory' | 'fifo' | 'loop' | undefined;
};

export type DropPlace = RowPlace & {
  readonly drop: Drop;
  /** What `ready` will write. */
  files: Dropped[];
  /** Written a moment ago, so that the program waits. */
  young: boolean;
  readonly server: FileServer;
  /** A path in the folder. */
  at(name: string): string;
};

const FORMATS: Readonly<Record<Drop, 'csv' | 'ndjson' | 'json' | 'parquet'>> = {
  csv: 'csv',
  ndjson: 'ndjson',
  json: 'json',
  parquet: 'parquet',
  'csv.gz': 'csv',
  pattern: 'csv',
  web: 'csv',
};
/** Parts of a pattern. */
const PARTS = 3;
const ANCIENT_MS = 3_600_000;

/** Whether a listing of it can lack evidence although nothing is wrong. */
export function mayLackEvidence(drop: Drop): boolean {
  return !['json', 'parquet', 'csv.gz'].includes(drop);
}

export async function dropPlace(drop: Drop): Promise<DropPlace> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-lying-drop-'));
  const server = await startFileServer('places.csv', '');
  const isText = FORMATS[drop] === 'csv';
  const place: DropPlace = {
    drop,
    files: [],
    young: false,
    server,
    settings: {},
    since: () => -Infinity,
    shape: isText || FORMATS[drop] === 'parquet' ? withName : (row) => row,
    at: (name) => path.join(folder, name),
    async put(rows, proven) {
      for (const name of [...place.files.map(({ name }) => name), 'later.csv'])
        for (const end of ['', '.total', '.new'])
          rmSync(place.at(name + end), { recursive: true, force: true });
      place.files = await filesOf(drop, rows, proven, folder);
      place.young = false;
      Object.assign(server, { bend: null, etag: '"1"' });
      const [first] = place.files;
      const SOURCE_PATH =
        drop === 'web' ? server.url : place.at(drop === 'pattern' ? 'part-*.csv' : (first?.name ?? ''));
      const trusted = proven && (drop === 'pattern' || drop === 'web');
      place.settings = {
        SOURCE: 'files',
        SOURCE_PATH,
        SOURCE_ID: 'id',
        SOURCE_UPDATED_AT: 'updated_at',
        ...(trusted ? { SOURCE_FILE_COMPLETE: 'true' } : {}),
      };
    },
    async ready() {
      if (drop === 'web') server.body = place.files[0]?.bytes ?? Buffer.alloc(0);
      else for (const file of place.files) write(place.at(file.name), file, place.young);
    },
    settle: async () => {},
    async close() {
      await server[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return place;
}

/** Text and columns know no field that only some records have. */
function withName(row: Row): Row {
  return row.json === '{}' ? { ...row, json: '{"name":null}' } : row;
}

async function filesOf(
  drop: Drop,
  rows: readonly Row[],
  proven: boolean,
  folder: string,
): Promise<Dropped[]> {
  const file = (name: string, bytes: Buffer, total: string | null = null): Dropped => ({
    name,
    bytes,
    total,
    instead: undefined,
  });
  const count = proven ? String(rows.length) : null;
  switch (drop) {
    case 'csv':
      return [file('places.csv', csvOf(rows), count)];
    case 'web':
      return [file('places.csv', csvOf(rows))];
    case 'csv.gz':
      return [file('places.csv.gz', gzipSync(csvOf(rows)))];
    case 'ndjson':
      return [file('places.ndjson', Buffer.from(rows.map((row) => `${objectOf(row)}\n`).join('')), count)];
    case 'json':
      return [file('places.json', Buffer.from(`[${rows.map(objectOf).join(',\n')}]`))];
    case 'parquet':
      return [file('places.parquet', await parquetOf(rows, path.join(folder, 'making')))];
    case 'pattern':
      return Array.from({ length: PARTS }, (_, part) =>
        file(`part-${part}.csv`, csvOf(rows.filter((_, at) => at % PARTS === part))),
      );
  }
}

export function csvOf(rows: readonly Row[]): Buffer {
  return Buffer.from(`id,name,updated_at\n${rows.map(csvLine).join('')}`);
}

export function csvLine({ id, updated_at: at, json }: Row): string {
  const { name } = JSON.parse(json) as { name?: string | null };
  return `${cell(id)},${name === undefined || name === null ? '' : cell(name)},${at}\n`;
}

const cell = (text: string): string => `"${text.replaceAll('"', '""')}"`;

export function objectOf({ id, updated_at: at, json }: Row): string {
  return JSON.stringify({ id, updated_at: at, ...(JSON.parse(json) as object) });
}

async function parquetOf(rows: readonly Row[], file: string): Promise<Buffer> {
  const lines = `${file}.ndjson`;
  writeFileSync(lines, rows.map((row) => `${objectOf(row)}\n`).join(''));
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  const columns = `columns = {id: 'VARCHAR', name: 'VARCHAR', updated_at: 'VARCHAR'}`;
  const select = `SELECT id, name, updated_at FROM read_ndjson('${lines}', ${columns})`;
  try {
    await connection.run(`COPY (${select}) TO '${file}' (FORMAT parquet)`);
    return readFileSync(file);
  } finally {
    connection.closeSync();
    instance.closeSync();
    rmSync(lines);
    rmSync(file, { force: true });
  }
}

function write(to: string, { bytes, total, instead }: Dropped, young: boolean): void {
  if (total !== null) writeFileSync(`${to}.total`, total);
  if (instead === 'nothing') return;
  if (instead === 'directory') return mkdirSync(to);
  if (instead === 'loop') return symlinkSync(to, to);
  if (instead === 'fifo') return void execFileSync('mkfifo', [to]);
  writeFileSync(to, bytes);
  const time = new Date(Date.now() - ANCIENT_MS);
  if (!young) utimesSync(to, time, time);
}
