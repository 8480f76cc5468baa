/**
 * MySQL and MariaDB as a source: a READ ONLY transaction with a consistent snapshot, and rows as a stream, since these
 * servers would sort anew for each page. Tables of engines without transactions (MyISAM, Aria) have no snapshot.
 */
import { composedId } from '../composed-id.ts';
import type { Column } from '../columns.ts';
import type { Dialect, DialectOptions, Grammar, Part, Selection, Snapshot } from './dialect.ts';
import type { Row } from '../row-line.ts';
import { deletedText } from './deleted-rows.ts';
import { inGroups } from '../in-groups.ts';
import { columnOf } from './mysql-columns.ts';
import { connectMysql, type MysqlConnection } from './mysql-connection.ts';
import { mysqlFault } from './mysql-fault.ts';
import { readMysqlUrl } from './mysql-url.ts';
import { jsonObject, type Values } from './mysql-values.ts';
import { listStatement } from './statements.ts';

const LOCK_SECONDS = 60;
/** More than the longest id that a record may have. */
const SORT_BYTES = 1024;
/** The server's own limit comes first, so that only a silent server is given up. */
const GRACE_MS = 30_000;
/** The server gives up on a client that takes no rows for so long, such as one whose sink is slow. */
const WRITE_SECONDS = 2 * 60 * 60;

const GRAMMAR: Grammar = {
  name: quoted,
  // Hexadecimal, since the meaning of a backslash depends on the server's sql_mode.
  text: (text) => `CONVERT(X'${Buffer.from(text).toString('hex')}' USING utf8mb4)`,
  id: (columns) => composedId(columns.map(idText), (parts) => `CONCAT(${parts.join(`, '|', `)})`),
  bytes: (text) => `CAST(${text} AS BINARY)`,
  changedSince: ({ name }, since) =>
    `q.${quoted(name)} >= '${since.toISOString().replace('T', ' ').replace('Z', '')}'`,
};

function quoted(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** Bytes in the form that they have in records: X'5C78' is \x. */
function idText({ name, holds }: Column): string {
  const column = `q.${quoted(name)}`;
  return `CONVERT(${holds === 'binary' ? `CONCAT(X'5C78', LOWER(HEX(${column})))` : column} USING utf8mb4)`;
}

export function mysqlDialect({ url, statementMs }: DialectOptions): Dialect {
  return {
    faultOf: (error) => mysqlFault(error, statementMs),
    async open() {
      const address = readMysqlUrl(url);
      if (typeof address === 'string') throw new Error(`SOURCE_URL ${address}`);
      const connection = await connectMysql(address, statementMs + Math.min(statementMs, GRACE_MS));
      try {
        return await takeSnapshot(connection, statementMs);
      } catch (error) {
        await connection.close();
        throw error;
      }
    },
  };
}

async function takeSnapshot(connection: MysqlConnection, statementMs: number): Promise<Snapshot> {
  const { query, stream, close } = connection;
  const { rows: facts } = await query('SELECT VERSION(), UNIX_TIMESTAMP(NOW(3)) * 1000');
  const [version, now] = facts[0] ?? [];
  const limit = limitOf(String(version));
  // sql_select_limit may cut every SELECT of the server off, and max_sort_length the ids that it sorts by.
  await query(
    `SET SESSION time_zone = '+00:00', lock_wait_timeout = ${LOCK_SECONDS}, net_write_timeout = ${WRITE_SECONDS}, ` +
      `sql_select_limit = 18446744073709551615, max_sort_length = ${SORT_BYTES}, ${limit(statementMs)}`,
  );
  await query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  await query('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
  const read = async function* (sql: string): AsyncGenerator<Values> {
    // The server's limit would count the time that the sink takes, too.
    await query(`SET SESSION ${limit(0)}`);
    yield* stream(sql, statementMs);
  };
  return {
    grammar: GRAMMAR,
    clock: new Date(Number(now)),
    columns: async (from) => (await query(`SELECT q.* FROM ${from} LIMIT 0`)).fields.map(columnOf),
    counts: async (sql) => ((await query(sql)).rows[0] ?? []).map(Number),
    found: async (sql) => (await query(sql)).rows.map(([id]) => String(id)),
    rows: (of, part) => rowsOf(read, of, part),
    ids: (of, part) => idsOf(read, of, part),
    close,
  };
}

/** The longest time of a SELECT; 0 for none. */
function limitOf(version: string): (milliseconds: number) => string {
  return version.includes('MariaDB')
    ? (milliseconds) => `max_statement_time = ${milliseconds / 1000}`
    : (milliseconds) => `max_execution_time = ${milliseconds}`;
}

type Read = (sql: string) => AsyncIterable<Values>;

async function* rowsOf(read: Read, of: Selection, part: Part): AsyncGenerator<Row[]> {
  const fields = of.fields.map(fieldOf);
  const deleted = deletedText(of, part, { name: quoted, timeOf: timeText });
  const what = [GRAMMAR.id(of.id), timeOf(of), deleted, ...fields];
  const statement = listStatement(of, part, GRAMMAR, { what });
  yield* inGroups(read(statement), {
    make: ([id, at, deletedAt, ...values]) => ({
      id: textOf(id) ?? '',
      at: textOf(at),
      deleted: textOf(deletedAt),
      record: jsonObject(of.fields, values),
    }),
    lengthOf: ({ record }) => record.length,
  });
}

/** The driver computes the value of a short floating-point number inexactly, so the server writes it as text. */
function fieldOf({ name, type }: Column): string {
  const column = `q.${quoted(name)}`;
  return type === 'DOUBLE' || type === 'FLOAT' ? `CAST(${column} AS CHAR)` : column;
}

async function* idsOf(read: Read, of: Selection, part: Part): AsyncGenerator<string[]> {
  const statement = listStatement(of, part, GRAMMAR, { what: [GRAMMAR.id(of.id)] });
  yield* inGroups(read(statement), { make: ([id]) => textOf(id) ?? '', lengthOf: (id) => id.length });
}

/** In the session's time zone, UTC. */
function timeOf({ updatedAt }: Selection): string {
  return updatedAt === null ? 'NULL' : timeText(`q.${quoted(updatedAt.name)}`);
}

function timeText(column: string): string {
  return `DATE_FORMAT(${column}, '%Y-%m-%dT%H:%i:%s.%fZ')`;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
