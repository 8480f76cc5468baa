/** A database as a source: what the tests of every dialect need of it. */
import { createSqlSource, type SqlSourceOptions } from '../../../../../src/job/sources/sql/sql-source.ts';
import { readSqlSettings } from '../../../../../src/job/sources/sql/sql-settings.ts';
import { openSettings } from '../../../../../src/job/settings-file.ts';
import type { Source, SourceRecord } from '../../../../../src/job/sources/source.ts';
import { collect } from '../../../support/fake-source.ts';

export type SqlDatabase = AsyncDisposable & {
  readonly url: string;
  /** Runs a statement in a session of its own, outside of the source. */
  readonly exec: (sql: string) => Promise<void>;
  /** Types in the words of the dialect. */
  readonly text: string;
  readonly timestamp: string;
  /** SELECTs with the columns id and name: one that takes far longer than 300 ms, and one that writes. */
  readonly slow: string;
  readonly writing: string;
};

export type More = Record<string, string>;

/** The settings of a table `places` with the columns id, name, updated_at. */
export const PLACES = { SOURCE_TABLE: 'places', SOURCE_ID: 'id', SOURCE_UPDATED_AT: 'updated_at' };

export function open(
  { url }: Pick<SqlDatabase, 'url'>,
  settings: More = PLACES,
  options: Partial<SqlSourceOptions> = {},
): Source {
  return createSqlSource({
    settings: readSqlSettings(openSettings({ SOURCE_URL: url, ...settings })),
    stop: new AbortController().signal,
    patienceMs: 500,
    ...options,
  });
}

export async function makePlaces(db: SqlDatabase, ids: readonly string[]): Promise<void> {
  await db.exec(
    `CREATE TABLE places (id ${db.text} NOT NULL, name ${db.text}, updated_at ${db.timestamp}, deleted_at ${db.timestamp})`,
  );
  for (let at = 0; at < ids.length; at += 500) await putPlaces(db, ids.slice(at, at + 500));
}

export async function putPlaces(
  db: SqlDatabase,
  ids: readonly string[],
  time = '2026-11-01 09:30:00',
): Promise<void> {
  const rows = ids.map((id) => `('${id.replaceAll("'", "''")}', 'first', '${time}')`);
  await db.exec(`INSERT INTO places (id, name, updated_at) VALUES ${rows.join(', ')}`);
}

export function someIds(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `p${String(at + 1).padStart(5, '0')}`);
}

export async function recordsIn(source: Source, since: Date | null = null): Promise<SourceRecord[]> {
  return (await collect(source.changedSince(since, null, 100))).flatMap(({ records }) => records);
}

export async function idsIn(source: Source): Promise<string[]> {
  return (await collect(source.ids(100))).flatMap(({ ids }) => ids);
}

/** The JSON of each expression, by the expression. */
export async function jsonOf(
  db: Pick<SqlDatabase, 'url'>,
  expressions: readonly string[],
): Promise<Record<string, string>> {
  const columns = expressions.map((expression, at) => `${expression} AS v${at}`);
  const query = `SELECT 'x' AS id, ${columns.join(', ')}`;
  const [row] = await recordsIn(open(db, { SOURCE_QUERY: query, SOURCE_ID: 'id' }));
  return Object.fromEntries(expressions.map((one, at) => [one, JSON.stringify(row?.record[`v${at}`])]));
}

/** By how many hours the source's clock is set back, for the column `changed` of the table `times`. */
export async function hoursBehind(db: Pick<SqlDatabase, 'url'>): Promise<number> {
  const source = open(db, { SOURCE_TABLE: 'times', SOURCE_ID: 'id', SOURCE_UPDATED_AT: 'changed' });
  await source.survey(null);
  await source.close?.();
  const { earliest } = source.clock();
  return Math.round((Date.now() - (earliest?.getTime() ?? 0)) / 3_600_000);
}
