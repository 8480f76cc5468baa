/**
 * SQLite as a source: a file opened read-only, and one read transaction. The library works in this thread: between groups
 * of rows other work gets its turn.
 */
import { setImmediate } from 'node:timers/promises';
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { JobError } from '../../job-error.ts';
import type { Dialect, DialectOptions, Part, Row, Selection, Snapshot } from './dialect.ts';
import { groupRows } from './group-rows.ts';
import { DeadlinePassed, sqliteFault } from './sqlite-fault.ts';
import { DEADLINE, GRAMMAR, quoted, timeOf } from './sqlite-grammar.ts';
import { sqlitePath } from './sqlite-path.ts';
import { jsonObject } from './sqlite-values.ts';
import { listStatement } from './statements.ts';

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

type Statements = { readonly prepare: (sql: string) => StatementSync; readonly restart: () => void };

async function* rowsOf(statements: Statements, of: Selection, part: Part): AsyncGenerator<Row[]> {
  const names = of.fields.map(({ name }) => name);
  const time = of.updatedAt === null ? 'NULL' : timeOf(`q.${quoted(of.updatedAt.name)}`);
  const what = [GRAMMAR.id(of.id), time, ...names.map((name) => `q.${quoted(name)}`)];
  const statement = listStatement(of, part, GRAMMAR, { what });
  yield* grouped(statements, statement, ([id, at, ...values]) => ({
    id: textOf(id) ?? '',
    at: textOf(at),
    record: jsonObject(names, values),
  }));
}

async function* idsOf(statements: Statements, of: Selection, part: Part): AsyncGenerator<string[]> {
  const statement = listStatement(of, part, GRAMMAR, { what: [GRAMMAR.id(of.id)] });
  yield* grouped(statements, statement, ([id]) => textOf(id) ?? '');
}

async function* grouped<T extends string | Row>(
  { prepare, restart }: Statements,
  sql: string,
  make: (values: readonly SQLOutputValue[]) => T,
): AsyncGenerator<T[]> {
  for await (const group of groupRows(prepare(sql).iterate(), (row) => make(valuesOf(row)))) {
    yield group;
    await setImmediate();
    restart();
  }
}

/** The types of node:sqlite know rows as objects alone. */
function valuesOf(row: unknown): readonly SQLOutputValue[] {
  return (row ?? []) as readonly SQLOutputValue[];
}

function textOf(value: SQLOutputValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
