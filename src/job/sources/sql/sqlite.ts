/**
 * SQLite as a source: a file opened read-only, and one read transaction. The library works in this thread: between groups
 * of rows other work gets its turn.
 */
import { setImmediate } from 'node:timers/promises';
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { withFault } from '../../../domain/source-fault.ts';
import { JobError, reasonOf } from '../../job-error.ts';
import { composedId } from './composed-id.ts';
import type { Dialect, DialectOptions, Grammar, Part, Row, Selection, Snapshot } from './dialect.ts';
import { type SqlFault, tookTooLong, WRITES } from './sql-fault.ts';
import { sqlitePath } from './sqlite-path.ts';
import { jsonObject } from './sqlite-values.ts';
import { listStatement } from './statements.ts';

/** How long the library waits for a writer, in milliseconds; the run itself waits longer, without blocking this thread. */
const BUSY_MS = 200;
const MOST_ROWS = 500;
const GROUP_LENGTH = 2 * 1024 * 1024;
const DEADLINE = 'syncrator_deadline()';

const GRAMMAR: Grammar = {
  name: quoted,
  text: (text) => `'${text.replaceAll("'", "''")}'`,
  id: (columns) =>
    composedId(
      columns.map(({ name }) => idText(`q.${quoted(name)}`)),
      (parts) => parts.join(` || '|' || `),
    ),
  bytes: (text) => `(${text}) COLLATE BINARY`,
  changedSince: ({ name }, since) => `${timeOf(`q.${quoted(name)}`)} >= '${since.toISOString()}'`,
  always: [DEADLINE],
};

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Bytes in the form that they have in records. */
function idText(column: string): string {
  return `CASE typeof(${column}) WHEN 'blob' THEN '\\x' || lower(hex(${column})) ELSE CAST(${column} AS TEXT) END`;
}

/** Of a text, or of seconds or milliseconds since 1970; null for anything else. */
function timeOf(column: string): string {
  const milliseconds = `typeof(${column}) = 'integer' AND ${column} > 99999999999`;
  return `strftime('%Y-%m-%dT%H:%M:%fZ', CASE WHEN ${milliseconds} THEN ${column} / 1000.0 ELSE ${column} END, 'auto')`;
}

class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';
}

export function sqliteDialect({ url, statementMs }: DialectOptions): Dialect {
  const path = sqlitePath(url) ?? '';
  return {
    faultOf: (error) => faultOf(error, { path, statementMs }),
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
  database.function('syncrator_deadline', () => {
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
  let group: T[] = [];
  let length = 0;
  for (const row of prepare(sql).iterate()) {
    const made = make(valuesOf(row));
    group.push(made);
    length += typeof made === 'string' ? made.length : made.record.length;
    if (group.length < MOST_ROWS && length < GROUP_LENGTH) continue;
    yield group;
    await setImmediate();
    group = [];
    length = 0;
    restart();
  }
  if (group.length > 0) yield group;
}

/** The types of node:sqlite know rows as objects alone. */
function valuesOf(row: unknown): readonly SQLOutputValue[] {
  return (row ?? []) as readonly SQLOutputValue[];
}

function textOf(value: SQLOutputValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

const [WRONG_SQL, BUSY, LOCKED, READ_ONLY, CANNOT_OPEN, NO_DATABASE] = [1, 5, 6, 8, 14, 26];

function faultOf(error: unknown, { path, statementMs }: { path: string; statementMs: number }): SqlFault {
  const reason = reasonOf(error);
  if (error instanceof DeadlinePassed) return tookTooLong(statementMs, reason);
  // The low byte is the code that the extended ones refine.
  const code = Number((error as { errcode?: number }).errcode) & 0xff;
  if (code === BUSY || code === LOCKED) return { code: 'away', words: reason };
  if (code === READ_ONLY) return { code: 'notConfigured', words: `${WRITES} (${reason})` };
  if (code === CANNOT_OPEN) {
    const fix = 'check its path, that this program may read it, and write beside it if it is in WAL mode';
    return {
      code: 'sourceUnreachable',
      words: withFault(`cannot open ${path} (${reason}); ${fix}`, 'unreachable'),
    };
  }
  if (code === NO_DATABASE) return { code: 'notConfigured', words: `${path}: ${reason}; correct SOURCE_URL` };
  if (code === WRONG_SQL)
    return { code: 'notConfigured', words: `${reason}; correct SOURCE_TABLE or SOURCE_QUERY` };
  return { code: 'failed', words: reason };
}
