/** The settings that `target add` asks for, by source and sink. Less common ones are added to the file by hand. */

export type Question = {
  /** The setting that the answer fills. */
  readonly key: string;
  readonly text: string;
  readonly example?: string;
  /** `url`: its password is asked for on its own, hidden. `flag`: yes is `true`. */
  readonly kind?: 'url' | 'flag';
  /** An empty answer leaves the setting out. */
  readonly optional?: true;
};

export type Kind = { readonly label: string; readonly questions: readonly Question[] };

const ID: Question = {
  key: 'SOURCE_ID',
  text: 'Which column identifies a row? Several with commas',
  example: 'code',
};
const UPDATED_AT: Question = {
  key: 'SOURCE_UPDATED_AT',
  text: 'Which column holds the time of the last change? Empty if none does',
  optional: true,
};
const FILE_COMPLETE: Question = {
  key: 'SOURCE_FILE_COMPLETE',
  text: 'Is every file whole whenever it is in its place? Only then a missing row means that its record shall go',
  kind: 'flag',
};

export const SOURCES = {
  sql: {
    label: 'a table in PostgreSQL, MySQL, MariaDB or SQLite',
    questions: [
      {
        key: 'SOURCE_URL',
        text: 'Address of the database',
        example: 'postgres://reader@db.example.org:5432/library',
        kind: 'url',
      },
      { key: 'SOURCE_TABLE', text: 'Table or view', example: 'public.books' },
      ID,
      UPDATED_AT,
      {
        key: 'SOURCE_DELETED_AT',
        text: 'Which column has a value in deleted rows? Empty if none does',
        optional: true,
      },
    ],
  },
  files: {
    label: 'files: CSV, TSV, JSON, NDJSON or Parquet, on disk, on the web or in S3',
    questions: [
      {
        key: 'SOURCE_PATH',
        text: 'Path of the file, or a pattern',
        example: '/data/drops/*.csv, https://… or s3://bucket/key',
      },
      ID,
      UPDATED_AT,
      FILE_COMPLETE,
    ],
  },
  'oai-pmh': {
    label: 'an OAI-PMH repository',
    questions: [
      {
        key: 'SOURCE_URL',
        text: 'Base URL of the repository',
        example: 'https://archive.example.org/oai',
        kind: 'url',
      },
      { key: 'OAI_PREFIX', text: 'Format of the records. Empty for oai_dc', optional: true },
      { key: 'OAI_SET', text: 'setSpec of one set. Empty for all records', optional: true },
    ],
  },
  connector: {
    label: 'an Airbyte connector, a declarative manifest or a Singer tap',
    questions: [
      { key: 'CONNECTOR', text: 'Program of the connector', example: '/opt/faker/bin/source-faker' },
      { key: 'CONNECTOR_PROTOCOL', text: 'airbyte or singer? Empty for airbyte', optional: true },
      {
        key: 'CONNECTOR_MANIFEST',
        text: 'File of a declarative manifest. Empty for other connectors',
        optional: true,
      },
      { key: 'CONNECTOR_CONFIG', text: 'File with its config', example: '/etc/faker.json', optional: true },
      {
        key: 'CONNECTOR_STREAM',
        text: 'Stream; `syncrator connector discover` lists them',
        example: 'users',
      },
      {
        ...ID,
        text: 'Which fields identify a record? Empty for the primary key of the stream',
        optional: true,
      },
      UPDATED_AT,
    ],
  },
  ndjson: {
    label: 'an HTTP service of your own that sends NDJSON',
    questions: [
      {
        key: 'SOURCE_URL',
        text: 'Address of the records',
        example: 'https://app.example.org/records',
        kind: 'url',
      },
    ],
  },
} as const satisfies Record<string, Kind>;

export const SINKS = {
  postgres: {
    label: 'a table in PostgreSQL',
    questions: [
      {
        key: 'SINK_URL',
        text: 'Address of the database',
        example: 'postgres://writer@db.example.org:5432/portal',
        kind: 'url',
      },
      { key: 'SINK_TABLE', text: 'Table; the first sync creates it', example: 'books' },
    ],
  },
  opensearch: {
    label: 'an index in OpenSearch or Elasticsearch',
    questions: [
      {
        key: 'SINK_URL',
        text: 'Address of the cluster',
        example: 'https://writer@search.example.org:9200',
        kind: 'url',
      },
      { key: 'SINK_INDEX', text: 'Alias that readers search', example: 'books' },
      {
        key: 'SINK_MAPPING',
        text: 'File with mappings and settings of the index. Empty for none',
        optional: true,
      },
    ],
  },
  solr: {
    label: 'a collection in SolrCloud',
    questions: [
      {
        key: 'SOLR_URL',
        text: 'Address of Solr',
        example: 'https://writer@solr.example.org/solr',
        kind: 'url',
      },
      { key: 'SOLR_APP', text: "Alias that readers search. Empty for the target's name", optional: true },
    ],
  },
} as const satisfies Record<string, Kind>;
