/**
 * Keeps the rows of all files in a temporary SQLite file, which puts them in byte order of their ids. DuckDB could sort, but
 * not within a limit of memory: with 1 GB of records of 5 KB each it gives up at a limit of 256 MiB.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { groupsOf } from '../in-groups.ts';
import { stored } from '../no-room.ts';
import { quoted } from './duckdb.ts';
import type { FileRow } from './file-row.ts';

export type StoredRow = FileRow & { readonly file: number };

export type RowStore = {
  readonly add: (rows: readonly FileRow[], file: number) => void;
  /** Call after the last row. */
  readonly order: () => void;
  readonly count: () => number;
  readonly countWithId: () => number;
  /** Rows without a fault. */
  readonly countSound: () => number;
  /** Rows with an id up to this one. */
  readonly countUpTo: (id: string) => number;
  /** The first id that several rows have, with two of them. */
  readonly twice: () => readonly StoredRow[] | null;
  /** Rows without an id, then those with an id after `after`, in byte order. */
  readonly rows: (after: string | null) => AsyncGenerator<readonly StoredRow[]>;
  readonly has: (id: string) => boolean;
  readonly close: () => void;
};

const TABLE = `PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384;
  CREATE TABLE rows (id TEXT, at TEXT, record TEXT, fault TEXT, place INT, counts TEXT, file INT)`;

/** Where SQLite sorts: for the whole process. By itself it would take /var/tmp, which may be small. */
const sortingIn = (folder: string): string => `PRAGMA temp_store_directory = ${quoted(folder)}`;

/** @param folder for the file */
export function createRowStore(folder: string): RowStore {
  const database = new DatabaseSync(join(folder, 'rows.sqlite'));
  database.exec(`${sortingIn(tmpdir())}; ${TABLE}`);
  const insert = database.prepare('INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)');

  return {
    add(rows, file) {
      stored(() => {
        database.exec('BEGIN');
        for (const { id, at, record, fault, place, counts } of rows)
          insert.run(id === '' ? null : id, at, record, fault, place, counts, file);
        database.exec('COMMIT');
      });
    },
    order: () => stored(() => database.exec('CREATE INDEX in_order ON rows (id)')),
    count: () => numberOf(database, 'SELECT count(*) AS n FROM rows'),
    countWithId: () => numberOf(database, 'SELECT count(id) AS n FROM rows'),
    countSound: () => numberOf(database, 'SELECT count(*) AS n FROM rows WHERE fault IS NULL'),
    countUpTo: (id) => numberOf(database, 'SELECT count(*) AS n FROM rows WHERE id <= ?', id),
    twice() {
      const [first] = database
        .prepare(
          'SELECT id FROM rows WHERE id IS NOT NULL GROUP BY id HAVING count(*) > 1 ORDER BY id LIMIT 1',
        )
        .all() as { id: string }[];
      if (first === undefined) return null;
      const all = database
        .prepare('SELECT * FROM rows WHERE id = ? ORDER BY file, place LIMIT 2')
        .all(first.id);
      return all as StoredRow[];
    },
    async *rows(after) {
      yield* grouped(database.prepare('SELECT * FROM rows WHERE id IS NULL').iterate());
      yield* grouped(database.prepare('SELECT * FROM rows WHERE id > ? ORDER BY id').iterate(after ?? ''));
    },
    has: (id) => numberOf(database, 'SELECT EXISTS (SELECT 1 FROM rows WHERE id = ?) AS n', id) === 1,
    close() {
      if (database.isOpen) database.close();
    },
  };
}

async function* grouped(rows: Iterable<unknown>): AsyncGenerator<readonly StoredRow[]> {
  const of = { make: (row: StoredRow) => row, lengthOf: ({ record }: StoredRow) => record?.length ?? 0 };
  for (const group of groupsOf(rows as Iterable<StoredRow>, of)) {
    // The library blocks the event loop; yield here, so that writes to the sink progress.
    await setImmediate();
    yield group;
  }
}

function numberOf(database: DatabaseSync, sql: string, ...values: string[]): number {
  return Number(database.prepare(sql).get(...values)?.['n']);
}
