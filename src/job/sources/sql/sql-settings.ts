/** Reads the settings of source `sql`. */
import { readPostgresUrl } from '../../postgres-url.ts';
import type { Settings } from '../../settings-file.ts';
import { readIdColumns } from '../columns.ts';
import { readMysqlUrl } from './mysql-url.ts';
import { sqlitePath } from './sqlite-path.ts';

export type SqlSettings = {
  readonly kind: 'sql';
  readonly dialect: 'postgres' | 'mysql' | 'sqlite';
  readonly url: string;
  readonly from: SqlFrom;
  /** Columns that together make the id. */
  readonly id: readonly string[];
  /** null: rows do not tell when they changed. */
  readonly updatedAt: string | null;
  /** A row with a value in this column is deleted; null: rows are deleted for real. */
  readonly deletedAt: string | null;
};

/** A table by the parts of its name, or a SELECT. */
export type SqlFrom = { readonly table: readonly string[] } | { readonly query: string };

/** @throws JobError `notConfigured` */
export function readSqlSettings(settings: Settings): SqlSettings {
  const { optional } = settings;
  return {
    kind: 'sql',
    ...readAddress(settings),
    from: readFrom(settings),
    id: readIdColumns(settings),
    updatedAt: optional('SOURCE_UPDATED_AT') ?? null,
    deletedAt: optional('SOURCE_DELETED_AT') ?? null,
  };
}

const SCHEMES = ['postgres:', 'postgresql:', 'mysql:', 'mariadb:', 'sqlite:'];

function readAddress(settings: Settings): Pick<SqlSettings, 'dialect' | 'url'> {
  const url = settings.url('SOURCE_URL', SCHEMES);
  if (/^(mysql|mariadb):/i.test(url)) {
    const address = readMysqlUrl(url);
    if (typeof address === 'string') throw settings.fault(`SOURCE_URL ${address}`);
    return { dialect: 'mysql', url };
  }
  if (!/^sqlite:/i.test(url)) return { dialect: 'postgres', url: readPostgresUrl(settings, 'SOURCE_URL') };
  if (sqlitePath(url) === null)
    throw settings.fault(
      'SOURCE_URL is not an absolute path: expected a form such as sqlite:/data/portal.db',
    );
  return { dialect: 'sqlite', url };
}

function readFrom({ optional, fault }: Settings): SqlFrom {
  const [table, query] = [optional('SOURCE_TABLE'), optional('SOURCE_QUERY')];
  if (table !== undefined && query !== undefined)
    throw fault('SOURCE_TABLE and SOURCE_QUERY are both set, and only one is allowed');
  if (query !== undefined) {
    if (!/^(select|with|values|table)\b/i.test(query))
      throw fault('SOURCE_QUERY does not begin with SELECT or WITH');
    return { query: query.replace(/[\s;]+$/, '') };
  }
  if (table === undefined) throw fault('SOURCE_TABLE (or SOURCE_QUERY) is missing');
  const parts = table.split('.');
  if (parts.length > 2 || parts.includes(''))
    throw fault('SOURCE_TABLE is not [schema.]table; use SOURCE_QUERY for names with a dot');
  return { table: parts };
}
