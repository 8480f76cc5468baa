/**
 * Keeps a list in a temporary SQLite file, for sources that list in an order of their own: an entry that comes again
 * replaces the earlier one, and reading is in byte order of the ids. The file has no name, so it vanishes with the
 * program.
 */
import { tmpdir } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { groupsOf } from './in-groups.ts';
import { type Line, UnreadableLine } from './lines.ts';
import { stored } from './no-room.ts';
import { Tombstone } from './tombstone.ts';

/** Where SQLite keeps the file: for the whole process. By itself it would take /var/tmp, which may be small. */
const keptIn = (folder: string): string => `PRAGMA temp_store_directory = '${folder.replaceAll("'", "''")}'`;

const GROUP_ROWS = 200;

export type Entry = {
  /** Empty: not readable. */
  readonly id: string;
  /** Of two entries the one with the later stamp counts, in the order of texts. */
  readonly stamp: string;
  /** null for a deleted record. */
  readonly line: Line | null;
  /** Where it stands in the list, for errors. */
  readonly place: number;
};

export type StoredLine = { readonly id: string | null; readonly line: Line; readonly place: number };

export type StoredEntry = Omit<StoredLine, 'line'> & { readonly line: Line | Tombstone };

export type EntryStore = {
  /** Runs `work`; keeps all that it puts, or nothing if it throws or returns null. */
  readonly together: <T>(work: () => Promise<T | null>) => Promise<T | null>;
  /** @returns false if this pass has put the same id before */
  readonly put: (entry: Entry, pass: number) => boolean;
  /** Drops what a pass has put. */
  readonly forget: (pass: number) => void;
  readonly counts: () => { readonly live: number; readonly deleted: number };
  /** Entries without an id, then those with an id after `after`, in byte order; deleted records are left out. */
  readonly lines: (after: string | null) => AsyncGenerator<readonly StoredLine[]>;
  /** The same with deleted records, whose line says when: at their stamp. */
  readonly linesAndGone: (after: string | null) => AsyncGenerator<readonly StoredEntry[]>;
  readonly has: (id: string) => boolean;
  /** Whether an entry has no readable id. */
  readonly hasNameless: () => boolean;
  readonly close: () => void;
};

/** Records are read in an order of their own, a page for nearly each of them: pages of 16 KiB took 20 % less time than of 4 KiB. */
const TABLE = `PRAGMA page_size = 16384; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384;
  CREATE TABLE entries (id TEXT PRIMARY KEY, stamp TEXT, pass INT, place INT, deleted INT, why TEXT, line TEXT)`;

const ADD = `INSERT INTO entries (id, stamp, pass, place, deleted, why, line) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
  ON CONFLICT (id) DO NOTHING`;
/** Of two entries of one pass, the one with the later stamp counts, then the one that came later. */
const REPLACE = `UPDATE entries SET stamp = ?2, pass = ?3, place = ?4, deleted = ?5, why = ?6, line = ?7
  WHERE id = ?1 AND (pass <> ?3 OR stamp <= ?2)`;

const LIST = 'SELECT id, place, why, line FROM entries WHERE NOT deleted AND';
const LIST_ALL = 'SELECT id, place, why, line, stamp, deleted FROM entries WHERE id > ? ORDER BY id';

type Row = readonly [id: string | null, place: number, why: string | null, line: string | null];
type RowOfAll = readonly [...Row, stamp: string, deleted: number];

/** @throws JobError if the temporary folder is full */
export function createEntryStore(): EntryStore {
  const database = new DatabaseSync('');
  database.exec(`${keptIn(tmpdir())}; ${TABLE}`);
  const add = database.prepare(ADD);
  const replace = database.prepare(REPLACE);
  const passOf = database.prepare('SELECT pass FROM entries WHERE id = ?');
  const thereIs = database.prepare('SELECT 1 FROM entries WHERE id = ? AND NOT deleted');
  // Rows as arrays take two thirds of the time of rows as objects.
  const rowsOf = <R extends Row | RowOfAll = Row>(query: string, ...after: string[]): Iterable<R> => {
    const statement = database.prepare(query);
    statement.setReturnArrays(true);
    return statement.iterate(...after) as Iterable<unknown> as Iterable<R>;
  };

  return {
    async together(work) {
      database.exec('BEGIN');
      let result: Awaited<ReturnType<typeof work>> = null;
      try {
        result = await work();
        return result;
      } finally {
        // A disk that is full ends the transaction by itself.
        if (database.isOpen && database.isTransaction)
          stored(() => database.exec(result === null ? 'ROLLBACK' : 'COMMIT'));
      }
    },
    put({ id: told, stamp, line, place }, pass) {
      // SQLite would make one id of several that differ in half characters.
      const id = told === '' || !told.isWellFormed() ? null : told;
      const [why, text] = line instanceof UnreadableLine ? [line.why, null] : [null, line];
      const values = [id, stamp, pass, place, line === null ? 1 : 0, why, text] as const;
      if (stored(() => add.run(...values)).changes === 1 || id === null) return true;
      const isFresh = passOf.get(id)?.['pass'] !== pass;
      stored(() => replace.run(...values));
      return isFresh;
    },
    forget: (pass) => void stored(() => database.prepare('DELETE FROM entries WHERE pass = ?').run(pass)),
    counts() {
      const [row] = database
        .prepare('SELECT count(*) AS entries, coalesce(sum(deleted), 0) AS deleted FROM entries')
        .all();
      const deleted = Number(row?.['deleted']);
      return { live: Number(row?.['entries']) - deleted, deleted };
    },
    async *lines(after) {
      yield* linesOf(rowsOf(`${LIST} id IS NULL`), lineIn);
      yield* linesOf(rowsOf(`${LIST} id > ? ORDER BY id`, after ?? ''), lineIn);
    },
    async *linesAndGone(after) {
      yield* linesOf(rowsOf(`${LIST} id IS NULL`), lineIn);
      yield* linesOf(rowsOf<RowOfAll>(LIST_ALL, after ?? ''), (row) => {
        const [id, , , , stamp, deleted] = row;
        return deleted === 1 ? new Tombstone(id ?? '', stamp) : lineIn(row);
      });
    },
    has: (id) => thereIs.get(id) !== undefined,
    hasNameless: () => database.prepare('SELECT 1 FROM entries WHERE id IS NULL').get() !== undefined,
    close() {
      if (database.isOpen) database.close();
    },
  };
}

function lineIn([id, , why, line]: Row | RowOfAll): Line {
  return line ?? new UnreadableLine(why ?? '', id);
}

async function* linesOf<R extends Row | RowOfAll, L>(
  rows: Iterable<R>,
  lineOf: (row: R) => L,
): AsyncGenerator<readonly (Omit<StoredLine, 'line'> & { readonly line: L })[]> {
  const groups = groupsOf(rows, {
    make: (row) => ({ id: row[0], place: row[1], line: lineOf(row) }),
    lengthOf: ({ line }) => (typeof line === 'string' ? line.length : 0),
    mostRows: GROUP_ROWS,
  });
  for (const group of groups) {
    // The library blocks the event loop; yield here, so that writes to the sink progress.
    await setImmediate();
    yield group;
  }
}
