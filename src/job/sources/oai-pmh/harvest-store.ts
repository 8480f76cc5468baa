/**
 * Keeps a harvested list in a temporary SQLite file, since repositories list in an order of their own: an entry that
 * comes again replaces the earlier one, and reading is in byte order of the ids. The file has no name, so it
 * vanishes with the program.
 */
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { JobError } from '../../job-error.ts';
import { inGroups } from '../in-groups.ts';
import { type Line, UnreadableLine } from '../lines.ts';
import type { OaiHeader } from './record-line.ts';

const GROUP_ROWS = 200;

export type Entry = {
  readonly header: OaiHeader;
  /** null for a deleted record. */
  readonly line: Line | null;
  /** The page of the list, for errors. */
  readonly page: number;
};

export type StoredLine = { readonly id: string | null; readonly line: Line; readonly page: number };

export type HarvestStore = {
  /** Runs `work`; keeps all that it puts, or nothing if it throws or returns null. */
  readonly page: <T>(work: () => Promise<T | null>) => Promise<T | null>;
  /** @returns false if this pass has put the same id before */
  readonly put: (entry: Entry, pass: number) => boolean;
  /** Drops what a pass has put. */
  readonly forget: (pass: number) => void;
  readonly counts: () => { readonly live: number; readonly deleted: number };
  /** Entries without an id, then those with an id after `after`, in byte order; deleted records are left out. */
  readonly lines: (after: string | null) => AsyncGenerator<readonly StoredLine[]>;
  readonly close: () => void;
};

const TABLE = `PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384;
  CREATE TABLE entries (id TEXT PRIMARY KEY, stamp TEXT, pass INT, page INT, deleted INT, why TEXT, line TEXT)`;

/** Of two entries of one pass, the one with the later datestamp counts, then the one that came later. */
const PUT = `INSERT INTO entries (id, stamp, pass, page, deleted, why, line) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp, pass = excluded.pass, page = excluded.page,
    deleted = excluded.deleted, why = excluded.why, line = excluded.line
  WHERE excluded.pass <> entries.pass OR excluded.stamp >= entries.stamp`;

const LIST = 'SELECT id, page, why, line FROM entries WHERE NOT deleted AND';

type Row = { id: string | null; page: number; why: string | null; line: string | null };

/** @throws JobError if the temporary folder is full */
export function createHarvestStore(): HarvestStore {
  const database = new DatabaseSync('');
  database.exec(TABLE);
  const insert = database.prepare(PUT);
  const passOf = database.prepare('SELECT pass FROM entries WHERE id = ?');

  return {
    async page(work) {
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
    put({ header, line, page }, pass) {
      const id = header.id === '' ? null : header.id;
      const isFresh = id === null || passOf.get(id)?.['pass'] !== pass;
      const [why, text] = line instanceof UnreadableLine ? [line.why, null] : [null, line];
      stored(() => insert.run(id, header.datestamp, pass, page, header.isDeleted ? 1 : 0, why, text));
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
      const nameless = database.prepare(`${LIST} id IS NULL`).iterate();
      yield* linesOf(nameless as Iterable<Row>);
      const named = database.prepare(`${LIST} id > ? ORDER BY id`).iterate(after ?? '');
      yield* linesOf(named as Iterable<Row>);
    },
    close() {
      if (database.isOpen) database.close();
    },
  };
}

async function* linesOf(rows: Iterable<Row>): AsyncGenerator<readonly StoredLine[]> {
  const groups = inGroups(rows, {
    make: ({ id, page, why, line }) => ({ id, page, line: line ?? new UnreadableLine(why ?? '', id) }),
    lengthOf: ({ line }) => (typeof line === 'string' ? line.length : 0),
    mostRows: GROUP_ROWS,
  });
  for await (const group of groups) {
    // The library blocks the event loop; yield here, so that writes to the sink progress.
    await setImmediate();
    yield group;
  }
}

function stored<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new JobError(
      'failed',
      `the temporary file of the list cannot be written (${why}); give /tmp more room, or set TMPDIR to a folder that has it`,
      { cause },
    );
  }
}
