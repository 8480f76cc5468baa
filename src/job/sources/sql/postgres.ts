/**
 * PostgreSQL as a source: a REPEATABLE READ, READ ONLY transaction and a cursor in it. The server itself writes each
 * row as JSON.
 */
import { Client, escapeIdentifier, escapeLiteral, type QueryArrayConfig, type QueryArrayResult } from 'pg';
import { JobError } from '../../job-error.ts';
import { endConnections } from '../../postgres-end.ts';
import { composedId } from '../composed-id.ts';
import type { Column } from '../columns.ts';
import type { Dialect, DialectOptions, Grammar, Part, Selection, Snapshot } from './dialect.ts';
import type { Row } from '../row-line.ts';
import { deletedText } from './deleted-rows.ts';
import { createFetchSize } from './fetch-size.ts';
import { postgresFault } from './postgres-fault.ts';
import { listStatement } from './statements.ts';
import { WITHOUT_TIME_OF_DAY_MS, WITHOUT_ZONE_MS } from './zone.ts';

const CONNECT_MS = 15_000;
const LOCK_MS = 60_000;
/** Types date, timestamp and timestamptz, with `lateMs`. */
const TIMES = new Map([
  [1082, WITHOUT_TIME_OF_DAY_MS],
  [1114, WITHOUT_ZONE_MS],
  [1184, 0],
]);
const BYTEA = 17;
/** Types of ids whose equality an index serves. */
// biome-ignore format: one per line would hide the code
const COMPARED: ReadonlySet<string> = new Set([
  'smallint', 'integer', 'bigint', 'numeric', 'text', 'character varying', 'character', 'uuid', 'date',
  'timestamp without time zone', 'timestamp with time zone', 'boolean', 'bytea',
]);

/** Formats of values, instead of the role's defaults. */
const FORMATS =
  `SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL IntervalStyle = 'iso_8601'; ` +
  `SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1`;

/** A row-level policy is an error, since it would make the listing shorter without a word. */
function begin(statementMs: number): string {
  return (
    `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = ${statementMs}; ` +
    `SET LOCAL lock_timeout = ${Math.min(LOCK_MS, statementMs)}; SET LOCAL idle_in_transaction_session_timeout = 0; ` +
    `SET LOCAL row_security = off; SET LOCAL cursor_tuple_fraction = 1; ${FORMATS}`
  );
}

/** By how many seconds a replica is behind; or by less, since the primary may have been idle. 0 for a primary. */
const LAG = `CASE WHEN pg_is_in_recovery()
  THEN ceil(extract(epoch FROM now() - pg_last_xact_replay_timestamp()))::int ELSE 0 END`;

/**
 * The server notices a killed program within seconds, which servers before 14 and systems without Linux cannot; and it
 * does not limit the time of the whole transaction, which servers before 17 cannot either.
 */
const FACTS = `SELECT now(), current_setting('server_encoding'), ${LAG}, (SELECT count(set_config(name, value, true))
  FROM (VALUES ('client_connection_check_interval', '2s'), ('transaction_timeout', '0')) wanted (name, value)
  JOIN pg_settings USING (name) WHERE name <> 'client_connection_check_interval' OR version() ~ 'linux')`;

/** @param encoding of the server's texts: ids must come in the order of their bytes in UTF-8 */
function grammarOf(encoding: string): Grammar {
  return {
    name: escapeIdentifier,
    text: escapeLiteral,
    id: (columns) =>
      composedId(
        columns.map(({ name }) => `q.${escapeIdentifier(name)}::text`),
        (parts) => parts.join(` || '|' || `),
      ),
    bytes: (text) => (encoding === 'UTF8' ? `(${text}) COLLATE "C"` : `convert_to(${text}, 'UTF8')`),
    // Not every type has an equality, but each has a text.
    same: ({ type }, one, other) =>
      COMPARED.has(type) ? `${other} = ${one}` : `${other}::text = ${one}::text`,
    changedSince: ({ name }, since) => `q.${escapeIdentifier(name)} >= timestamptz '${since.toISOString()}'`,
  };
}

export function postgresDialect({ url, statementMs }: DialectOptions): Dialect {
  return {
    faultOf: (error) => postgresFault(error, statementMs),
    async open() {
      const client = new Client({
        connectionString: url,
        application_name: 'syncrator-job',
        connectionTimeoutMillis: CONNECT_MS,
        // Longer than the server's own limit, so it only applies to an unreachable server.
        query_timeout: statementMs + 30_000,
        keepAlive: true,
      });
      // Without a listener a lost connection ends the process; the running query reports it anyway.
      client.on('error', () => {});
      try {
        await client.connect();
        return await takeSnapshot(client, statementMs);
      } catch (error) {
        await endConnections(client);
        throw error;
      }
    },
  };
}

async function takeSnapshot(client: Client, statementMs: number): Promise<Snapshot> {
  // In this mode a text is one statement, so no SELECT can end the read-only transaction and begin another one.
  const query: Query = async <R extends unknown[]>(text: string) => {
    const config: QueryArrayConfig & { queryMode: string } = {
      text,
      rowMode: 'array',
      queryMode: 'extended',
    };
    return await client.query<R>(config);
  };
  await client.query(begin(statementMs));
  const [now, encoding = '', lag] = (await query<[Date, string, number | null]>(FACTS)).rows[0] ?? [];
  if (encoding === 'SQL_ASCII') {
    const why = 'the database of SOURCE_URL does not know the encoding of its texts (SQL_ASCII)';
    throw new JobError('notConfigured', `${why}; read a copy of it that is in UTF8`);
  }
  const grammar = grammarOf(encoding);
  return {
    grammar,
    clock: now ?? null,
    lagMs: Math.max(0, lag ?? 0) * 1000,
    columns: (from) => columnsOf(query, from),
    counts: async (sql) => ((await query<string[]>(sql)).rows[0] ?? []).map(Number),
    found: async (sql) => (await query<[string]>(sql)).rows.map(([id]) => id),
    rows: (of, part) => rowsOf(query, of, part, grammar),
    ids: (of, part) => idsOf(query, of, part, grammar),
    close: () => endConnections(client),
  };
}

type Query = <R extends unknown[]>(text: string) => Promise<QueryArrayResult<R>>;

async function columnsOf(query: Query, from: string): Promise<Column[]> {
  const { fields } = await query(`SELECT q.* FROM ${from} LIMIT 0`);
  const oids = [...new Set(fields.map(({ dataTypeID }) => dataTypeID))];
  const { rows } = await query<[string, string]>(
    `SELECT oid, format_type(oid, NULL) FROM pg_type WHERE oid = ANY ('{${oids.join(',')}}')`,
  );
  const types = new Map(rows.map(([oid, type]) => [Number(oid), type]));
  return fields.map(({ name, dataTypeID: oid }) => {
    const type = types.get(oid) ?? String(oid);
    const lateMs = TIMES.get(oid);
    if (lateMs !== undefined) return { name, type, holds: 'time', lateMs };
    return { name, type, holds: oid === BYTEA ? 'binary' : 'other' };
  });
}

async function* rowsOf(query: Query, of: Selection, part: Part, grammar: Grammar): AsyncGenerator<Row[]> {
  const fields = of.fields.map(({ name }) => `q.${escapeIdentifier(name)}`);
  const statement = listStatement(of, part, grammar, {
    what: [
      grammar.id(of.id),
      timeOf(of),
      deletedText(of, part, { name: escapeIdentifier, timeOf: timeText }),
      'row_to_json(r)::text',
    ],
    join: `CROSS JOIN LATERAL (SELECT ${fields.join(', ')}) r`,
  });
  for await (const rows of fetched<[string | null, string | null, string | null, string]>(query, statement))
    yield rows.map(([id, at, deleted, record]) => ({ id: id ?? '', at, deleted, record }));
}

async function* idsOf(query: Query, of: Selection, part: Part, grammar: Grammar): AsyncGenerator<string[]> {
  const statement = listStatement(of, part, grammar, { what: [grammar.id(of.id)] });
  for await (const rows of fetched<[string | null]>(query, statement)) yield rows.map(([id]) => id ?? '');
}

/** In the session's time zone, UTC. */
function timeOf({ updatedAt }: Selection): string {
  if (updatedAt === null) return 'NULL';
  return timeText(`q.${escapeIdentifier(updatedAt.name)}`);
}

function timeText(column: string): string {
  return `to_char(${column}::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

async function* fetched<R extends (string | null)[]>(query: Query, statement: string): AsyncGenerator<R[]> {
  await query(`DECLARE syncrator NO SCROLL CURSOR FOR ${statement}`);
  const size = createFetchSize();
  const fetch = (): Promise<QueryArrayResult<R>> => {
    const next = query<R>(`FETCH ${size.rows()} FROM syncrator`);
    // Thrown where it is awaited; a caller that stops earlier does not await it.
    next.catch(() => {});
    return next;
  };
  for (let next = fetch(); ; ) {
    const { rows } = await next;
    if (rows.length === 0) break;
    let length = 0;
    for (const row of rows) for (const text of row) length += text?.length ?? 0;
    size.learn(rows.length, length);
    // The server works on these rows while the caller has the others.
    next = fetch();
    yield rows;
  }
  await query('CLOSE syncrator');
}
