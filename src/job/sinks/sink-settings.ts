/** Reads the settings of the sink. */
import { type ColumnSettings, readColumnSettings, refuseColumns } from '../columns/columns-settings.ts';
import type { Column } from '../columns/parse-columns.ts';
import { readDuration, readSize } from '../setting-values.ts';
import type { Settings } from '../settings-file.ts';
import { readPostgresUrl } from '../postgres-url.ts';
import { type IndexBody, readIndexBody } from './opensearch/mapping.ts';
import { STATE_INDEX } from './opensearch/state-store.ts';

export type PostgresSettings = {
  readonly kind: 'postgres';
  /** Names host and database. */
  readonly url: string;
  /** null: the schema in which the role's search_path finds the table. */
  readonly schema: string | null;
  readonly table: string;
  /** The schema of our own tables in the sink's database. */
  readonly stateSchema: string;
  /** SINK_ALL_TABLES=accept: a publication FOR ALL TABLES may include our tables. */
  readonly acceptAllTables: boolean;
  /** SINK_CASCADE=allow: a removal may change rows of other tables, which no rollback restores. */
  readonly allowCascade: boolean;
  /** How long change sets are kept for a rollback. */
  readonly keepChangesMs: number;
  /** null: twice the live table. */
  readonly keepChangesBytes: number | null;
  /** Missing: the table has the column `record` alone. */
  readonly columns?: ColumnSettings;
};

export type SolrSettings = {
  readonly kind: 'solr';
  readonly url: string;
  /** The application that names the aliases, and the setting it comes from. */
  readonly app: { readonly name: string; readonly key: 'SOLR_APP' | 'SYNCRATOR_TARGET' } | null;
  readonly env: string | null;
  /** How long copies of removed records are kept for a rollback. */
  readonly keepChangesMs: number;
};

export type OpenSearchSettings = {
  readonly kind: 'opensearch';
  readonly url: string;
  /** The name that readers search. */
  readonly alias: string;
  /** Of every new index. */
  readonly body: IndexBody;
  /** How long copies of removed records are kept for a rollback. */
  readonly keepChangesMs: number;
};

export type SinkSettings = PostgresSettings | SolrSettings | OpenSearchSettings;

/** The columns that hold fields; none in sinks other than Postgres. */
export function columnsOf(sink: SinkSettings): readonly Column[] {
  return sink.kind === 'postgres' ? (sink.columns?.list ?? []) : [];
}

/** @throws JobError `notConfigured` */
export function readSinkSettings(settings: Settings): SinkSettings {
  const read = {
    postgres: readPostgresSettings,
    solr: readSolrSettings,
    opensearch: readOpenSearchSettings,
  };
  const kind = settings.oneOf('SINK', ['postgres', 'solr', 'opensearch']);
  if (kind !== 'postgres') refuseColumns(settings, `SINK=${kind}`);
  return read[kind](settings);
}

/** Lower case only: other names would need quotes in every query. */
const NAME = /^[a-z_][a-z0-9_]{0,62}$/;

function readPostgresSettings(settings: Settings): PostgresSettings {
  const { required, optional, fault } = settings;
  const url = readPostgresUrl(settings, 'SINK_URL');
  const name = required('SINK_TABLE').split('.');
  if (name.length > 2 || !name.every((part) => NAME.test(part)))
    throw fault('SINK_TABLE is not [schema.]table, each of at most 63 lowercase letters, digits and _');
  const [table = '', schema = null] = name.toReversed();
  const stateSchema = optional('SINK_STATE_SCHEMA') ?? 'syncrator';
  if (!NAME.test(stateSchema) || stateSchema.startsWith('pg_')) {
    throw fault(
      'SINK_STATE_SCHEMA is not a name of at most 63 lowercase letters, digits and _, or begins with pg_',
    );
  }
  if (schema === stateSchema) {
    throw fault(
      `SINK_TABLE lies in ${stateSchema}, the schema of SINK_STATE_SCHEMA, which is reserved for Syncrator's own tables`,
    );
  }
  const columns = readColumnSettings(settings);
  return {
    kind: 'postgres',
    url,
    schema,
    table,
    stateSchema,
    acceptAllTables: isAccepted(settings, 'SINK_ALL_TABLES', 'accept'),
    allowCascade: isAccepted(settings, 'SINK_CASCADE', 'allow'),
    keepChangesMs: readKeepChanges(settings),
    keepChangesBytes: readSize(settings, 'KEEP_CHANGES_SIZE'),
    ...(columns === null ? {} : { columns }),
  };
}

function readKeepChanges(settings: Settings): number {
  return readDuration(settings, 'KEEP_CHANGES', '30d');
}

/** True if the setting holds its only allowed value; false if it is missing. */
function isAccepted({ optional, fault }: Settings, key: string, word: string): boolean {
  const text = optional(key);
  if (text !== undefined && text !== word) throw fault(`${key} is not ${word}, its only allowed value`);
  return text === word;
}

function readSolrSettings(settings: Settings): SolrSettings {
  const { optional, url, fault } = settings;
  const address = url('SOLR_URL', ['http:', 'https:']);
  const key = optional('SOLR_APP') === undefined ? 'SYNCRATOR_TARGET' : 'SOLR_APP';
  const name = optional(key);
  if (name !== undefined && !/^[A-Za-z0-9][-_.A-Za-z0-9]{0,99}$/.test(name))
    throw fault(`${key} is not a valid alias name (letters, digits, - _ .)`);
  return {
    kind: 'solr',
    url: address,
    app: name === undefined ? null : { name, key },
    env: optional('SYNCRATOR_ENV') ?? null,
    keepChangesMs: readKeepChanges(settings),
  };
}

/** Room for the rest of an index's name, which has at most 255 bytes. */
const MOST_ALIAS = 150;

function readOpenSearchSettings(settings: Settings): OpenSearchSettings {
  const url = settings.url('SINK_URL', ['http:', 'https:']);
  const alias = settings.required('SINK_INDEX');
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(alias) || alias.length > MOST_ALIAS)
    throw settings.fault(
      `SINK_INDEX is not a name of at most ${MOST_ALIAS} lowercase letters, digits, - _ and .`,
    );
  if (alias === STATE_INDEX)
    throw settings.fault(`SINK_INDEX is ${STATE_INDEX}, which is reserved for Syncrator's own index`);
  const keepChangesMs = readKeepChanges(settings);
  return { kind: 'opensearch', url, alias, body: readIndexBody(settings), keepChangesMs };
}
