/** Descriptions of a target's settings, which the sync program alone reads, for docs/reference/settings.md. */

export type TargetSetting = {
  readonly name: string;
  /** Markdown; empty for a setting that is required or off. */
  readonly default: string;
  readonly text: string;
};

const KEEP_COPIES =
  'Age up to which a rollback restores single removed records ([data safety](../data.md#in-solr-and-opensearch)).';

/** By the heading of their table; a check compares the names with those that the code reads. */
export const TARGET_SETTINGS: Readonly<Record<string, readonly TargetSetting[]>> = {
  'Every source and sink': [
    {
      name: 'SOURCE',
      default: '',
      text: '`ndjson`, `sql`, `files`, `oai-pmh`, `connector`, `rest` or `gitlab`. A rollback needs none.',
    },
    { name: 'SINK', default: '', text: '`postgres`, `solr` or `opensearch`.' },
    {
      name: 'MAX_REJECTED',
      default: '0',
      text: 'Bad records that are set aside before the run fails; at most 1,000.',
    },
    {
      name: 'BASELINE',
      default: 'watch',
      text: 'After seven runs: `watch` warns of unusual counts, `hold` also lets unusual removals wait and stops an unusual jump upward, `off` does neither ([Data safety](../data.md#unusual-counts)).',
    },
    {
      name: 'FIELDS',
      default: '',
      text: 'Changes of the fields of every record, with commas or on lines: `rename a=b`, `drop a`, `set a=value`, `hash a` ([Fields](../how-to/fields.md)). Not with `SOURCE=gitlab` or `rest`.',
    },
    {
      name: 'FIELDS_HASH_KEY',
      default: '',
      text: 'Secret of the hashes that `FIELDS` makes: at least 16 characters.',
    },
    {
      name: 'FIELDS_HASH_KEY_FILE',
      default: '',
      text: 'File with that secret, in place of `FIELDS_HASH_KEY`. The program reads it, as its own user.',
    },
    {
      name: 'CANARY_IDS',
      default: '',
      text: 'Ids, with commas, that every complete listing has. A listing that lacks one is not believed: the run fails (`incomplete_listing`) and removes nothing ([evidence](../data.md#evidence-when-a-listing-counts-as-complete)). Not with `SOURCE=gitlab` or `rest`.',
    },
    {
      name: 'WATERMARK_MARGIN',
      default: '`1h`',
      text: 'How much earlier a delta reads than the watermark (`90s`, `15m`, `2d`).',
    },
  ],
  '`SOURCE=ndjson`': [
    { name: 'SOURCE_URL', default: '', text: 'Records over HTTP; or `SOURCE_FILE`.' },
    { name: 'SOURCE_FILE', default: '', text: 'Records from a file.' },
    {
      name: 'SOURCE_FILE_COMPLETE',
      default: '`false`',
      text: '`true`: the writer renames the file into place when it is whole.',
    },
  ],
  '`SOURCE=sql`': [
    {
      name: 'SOURCE_URL',
      default: '',
      text: '`postgres://user:password@host:port/database`, the same with `mysql://` or `mariadb://`, or `sqlite:/path/to/file`. Shown without user and password.',
    },
    { name: 'SOURCE_TABLE', default: '', text: '`[schema.]table` or a view; or `SOURCE_QUERY`.' },
    { name: 'SOURCE_QUERY', default: '', text: 'A SELECT that only reads, on one line.' },
    {
      name: 'SOURCE_ID',
      default: '',
      text: 'Column that identifies a row, or several with commas: `country,code` gives ids such as `de|10115`.',
    },
    {
      name: 'SOURCE_UPDATED_AT',
      default: '',
      text: 'Column with the date or time of the last change. Without it every delta reads and compares all rows; `SINK=solr` and `SINK=opensearch` need it.',
    },
    {
      name: 'SOURCE_DELETED_AT',
      default: '',
      text: 'Column that has a value in deleted rows (soft deletes): they count as missing, and a delta removes them, too.',
    },
  ],
  '`SOURCE=files`': [
    {
      name: 'SOURCE_PATH',
      default: '',
      text: 'Absolute path, `http://…`, `https://…` or `s3://bucket/key`. Path and key may be patterns: `*`, `?`, `[ab]`, `{a,b}`, `**` for any number of folders. Shown without user, password and query.',
    },
    {
      name: 'SOURCE_FORMAT',
      default: 'by the end of each name',
      text: '`csv`, `tsv`, `json`, `ndjson` or `parquet`. Whether a file is packed with gzip or zstd is told by its first bytes.',
    },
    {
      name: 'SOURCE_ID',
      default: '',
      text: 'Column that identifies a row, or several with commas: `country,code` gives ids such as `de|10115`.',
    },
    {
      name: 'SOURCE_UPDATED_AT',
      default: '',
      text: 'Column with the date or time of the last change. Without it records carry the time of the run that first saw or changed them; `SINK=solr` needs it.',
    },
    {
      name: 'SOURCE_FILE_COMPLETE',
      default: '`false`',
      text: '`true`: the writer puts each file in place when it is whole, and a pattern matches all files at any time.',
    },
    {
      name: 'S3_ENDPOINT',
      default: 'that of AWS',
      text: 'Scheme, host and port of another store that speaks S3. The bucket is a part of the path.',
    },
    { name: 'S3_REGION', default: '`us-east-1`', text: 'Region of the bucket.' },
    {
      name: 'S3_ACCESS_KEY_ID',
      default: '',
      text: 'With `S3_SECRET_ACCESS_KEY`; without both, requests are not signed.',
    },
    { name: 'S3_SECRET_ACCESS_KEY', default: '', text: 'Secret of that key. Only signatures travel.' },
    {
      name: 'S3_SECRET_ACCESS_KEY_FILE',
      default: '',
      text: 'File with that secret, in place of `S3_SECRET_ACCESS_KEY`.',
    },
  ],
  '`SOURCE=oai-pmh`': [
    {
      name: 'SOURCE_URL',
      default: '',
      text: 'Base URL of the repository, http or https, without `verb`. User and password in it travel as Basic and are shown nowhere.',
    },
    { name: 'OAI_PREFIX', default: '`oai_dc`', text: 'Format of the records (metadataPrefix).' },
    { name: 'OAI_SET', default: '', text: 'The setSpec of one set; without it all records.' },
    {
      name: 'OAI_UNMARKED_END',
      default: '`false`',
      text: '`true`: a last page without a resumptionToken ends a list of several pages, so that records may be removed. The protocol wants an empty one there.',
    },
  ],
  '`SOURCE=connector`': [
    {
      name: 'CONNECTOR',
      default: '`source-declarative-manifest` with `CONNECTOR_MANIFEST`',
      text: 'Program that speaks the protocol, by its absolute path or from `PATH`, with arguments if it needs some.',
    },
    { name: 'CONNECTOR_PROTOCOL', default: '`airbyte`', text: '`airbyte` or `singer`.' },
    { name: 'CONNECTOR_MANIFEST', default: '', text: 'Absolute path of a declarative manifest.' },
    {
      name: 'CONNECTOR_CONFIG',
      default: '`{}`',
      text: 'Config of the connector: a JSON object on one line, or a file with one. It reaches the connector as a file of mode 0600.',
    },
    {
      name: 'CONNECTOR_STREAM',
      default: '',
      text: 'Stream: its name, or `namespace.name`. `syncrator connector discover` lists them.',
    },
    {
      name: 'SOURCE_ID',
      default: 'the primary key that the connector tells',
      text: 'Fields that identify a record, with commas.',
    },
    {
      name: 'SOURCE_UPDATED_AT',
      default: '',
      text: 'Field with the date or time of the last change. Without it records carry the time of the run that first saw or changed them; `SINK=solr` and `SINK=opensearch` need it.',
    },
    {
      name: 'CONNECTOR_EXIT_COMPLETE',
      default: '`false`',
      text: '`true`, for `CONNECTOR_PROTOCOL=singer`: exit code 0 of the tap proves that the stream is complete, so that records may be removed.',
    },
    {
      name: 'CONNECTOR_SILENCE',
      default: '`10m`',
      text: 'How long the connector may write nothing before it is ended.',
    },
  ],
  '`SOURCE=gitlab`': [
    { name: 'GITLAB_URL', default: '', text: 'http or https, with a path if GitLab has one.' },
    { name: 'GITLAB_TOKEN', default: '', text: 'Sent as `PRIVATE-TOKEN`, to that address alone.' },
    { name: 'GITLAB_GROUP', default: '', text: 'Full path of the group; its subgroups belong to it.' },
    { name: 'GITLAB_ITEM_FILE', default: '`item.json`', text: 'File of the item in each project.' },
    {
      name: 'GITLAB_WEBHOOK_URL',
      default: '',
      text: 'Address of `POST /hooks/gitlab`. Needs `GITLAB_HOOK_SECRET`; without both, webhooks are left alone.',
    },
    {
      name: 'GITLAB_HOOK_SECRET',
      default: '',
      text: 'Secret that GitLab sends; the same as that of the api.',
    },
    {
      name: 'GITLAB_HOOK_SSL_VERIFICATION',
      default: '`true`',
      text: '`false` if GitLab cannot check the certificate of `GITLAB_WEBHOOK_URL`.',
    },
    {
      name: 'GITLAB_IGNORE',
      default: '',
      text: 'Ids of projects that are neither imported nor removed: `17,203`.',
    },
    { name: 'GITLAB_TIMEOUT', default: '30', text: 'Seconds that one call may take.' },
  ],
  '`SOURCE=rest`': [
    { name: 'ACCOUNT_API_URL', default: '', text: 'https, or http.' },
    { name: 'API_TOKEN', default: '', text: 'Token that never expires; wins over user and password.' },
    { name: 'API_USER', default: '', text: 'User; with `API_PASSWORD`.' },
    { name: 'API_PASSWORD', default: '', text: 'Password.' },
    {
      name: 'INTERVAL_RETRY_TOKEN_SECONDS',
      default: '10',
      text: 'Seconds from one try to fetch a token to the next; at most three tries in a run.',
    },
    {
      name: 'API_TIMEOUT_SECONDS',
      default: '5',
      text:
        'Seconds that one call may take. A call that fails for the network, with 5xx or 429 is tried three times; ' +
        '`Retry-After` up to 10 s is kept.',
    },
    {
      name: 'SINK_SCHEMA',
      default: '`public`',
      text: 'Schema of the three tables in the database of `SINK_URL`. Missing tables are made; those of soukosync are used.',
    },
  ],
  '`SINK=postgres`': [
    { name: 'SINK_URL', default: '', text: 'Names host and database.' },
    { name: 'SINK_TABLE', default: '', text: '`[schema.]table`.' },
    { name: 'SINK_STATE_SCHEMA', default: '`syncrator`', text: 'Schema of our own tables in that database.' },
    {
      name: 'SINK_COLUMNS',
      default: '',
      text: 'Columns that hold fields, `name text, population bigint`, or the path of a file with such a list ([Write real columns](../how-to/columns.md)).',
    },
    {
      name: 'SINK_RECORD',
      default: '`true`',
      text: '`false`: the table has the columns of `SINK_COLUMNS` and no column `record`.',
    },
    {
      name: 'SINK_DROP_COLUMNS',
      default: '',
      text: 'Columns that a sync may drop because `SINK_COLUMNS` lacks them, has another type, or `SINK_RECORD=false` lacks `record`.',
    },
    { name: 'KEEP_CHANGES', default: '`30d`', text: 'Age up to which a rollback goes back.' },
    {
      name: 'KEEP_CHANGES_SIZE',
      default: 'twice the live table',
      text: 'Size of the change sets beyond which the oldest are deleted.',
    },
    {
      name: 'SINK_ALL_TABLES',
      default: '',
      text: '`accept`: make our schema although a publication is `FOR ALL TABLES` ([why](../data.md#what-the-sinks-postgres-needs)).',
    },
    {
      name: 'SINK_CASCADE',
      default: '',
      text: '`allow`: remove records although a foreign key changes other rows with them.',
    },
  ],
  '`SINK=solr`': [
    {
      name: 'SOLR_URL',
      default: '',
      text: 'SolrCloud 9, http or https. User and password in the address travel as Basic and are shown nowhere.',
    },
    { name: 'SOLR_APP', default: "the target's name", text: 'The alias.' },
    { name: 'KEEP_CHANGES', default: '`30d`', text: KEEP_COPIES },
  ],
  '`SINK=opensearch`': [
    {
      name: 'SINK_URL',
      default: '',
      text: 'OpenSearch 2 or 3, Elasticsearch 8 or 9; http or https. User and password in the address travel as Basic and are shown nowhere.',
    },
    {
      name: 'SINK_INDEX',
      default: '',
      text: 'The alias that readers search; the indexes are `<alias>-<time>-<id>`.',
    },
    {
      name: 'SINK_MAPPING',
      default: '',
      text: 'File with the `mappings` and `settings` of a new index, as JSON. Without it only `id` and `updated_at` are indexed ([documents and mapping](../how-to/opensearch.md#documents-and-mapping)).',
    },
    { name: 'KEEP_CHANGES', default: '`30d`', text: KEEP_COPIES },
  ],
};
