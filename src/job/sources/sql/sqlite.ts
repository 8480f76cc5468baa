/**
 * SQLite as a source: a file opened read-only, and one read transaction. The library works in this thread: between groups
 * of rows other work gets its turn.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { JobError } from '../../job-error.ts';
import type { Dialect, DialectOptions, Snapshot } from './dialect.ts';
import { DeadlinePassed, sqliteFault } from './sqlite-fault.ts';
import { DEADLINE, GRAMMAR } from './sqlite-grammar.ts';
import { sqlitePath } from './sqlite-path.ts';
import { idsOf, rowsOf, valuesOf } from './sqlite-rows.ts';

/** How long the library waits for a writer, in milliseconds; the run itself waits longer, without blocking this thread. */
const BUSY_MS = 200;

export function sqliteDialect({ url, statementMs }: DialectOptions): Dialect {
  const path = sqlitePath(url) ?? '';
  return {
    faultOf: (error) => sqliteFault(error, { path, statementMs }),
    async open() {
      const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS });
      try {
        return takeSnapshot(database, statementMs);
      } catch (error) {
        database.close();
        throw error;
      }
    },
  };
}

function takeSnapshot(database: DatabaseSync, statementMs: number): Snapshot {
  let deadline = Infinity;
  const restart = (): void => void (deadline = performance.now() + statementMs);
  // The library cannot be interrupted, but it calls this function for each row that it visits.
  database.function(DEADLINE, () => {
    if (performance.now() > deadline) throw new DeadlinePassed('its time is over');
    return 1;
  });
  const prepare = (sql: string): StatementSync => {
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    restart();
    return statement;
  };
  database.exec('PRAGMA query_only = ON; BEGIN');
  // The transaction gets its snapshot at its first read.
  prepare('SELECT count(*) FROM sqlite_schema').get();
  const [encoding] = valuesOf(prepare('PRAGMA encoding').get());
  if (encoding !== 'UTF-8') {
    const words = `the texts of this SQLite file are ${String(encoding)}; read a copy made with PRAGMA encoding = 'UTF-8'`;
    throw new JobError('notConfigured', words);
  }
  return {
    grammar: GRAMMAR,
    clock: null,
    columns: async (from) =>
      prepare(`SELECT q.* FROM ${from} LIMIT 0`)
        .columns()
        .map(({ name, type }) => ({ name, type: type ?? 'any', holds: 'time' })),
    counts: async (sql) => valuesOf(prepare(sql).get()).map(Number),
    found: async (sql) =>
      prepare(sql)
        .all()
        .map((row) => String(valuesOf(row)[0])),
    rows: (of, part) => rowsOf({ prepare, restart }, of, part),
    ids: (of, part) => idsOf({ prepare, restart }, of, part),
    close: async () => {
      if (database.isOpen) database.close();
    },
  };
}
