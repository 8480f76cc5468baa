/** Which sink there is, and what it needs to know. */

import type { Settings } from '../settings-file.ts';

export type PostgresSettings = { readonly kind: 'postgres'; readonly url: string; readonly table: string };

export type SolrSettings = {
  readonly kind: 'solr';
  readonly url: string;
  /** Whose aliases, and which key says so. */
  readonly app: { readonly name: string; readonly key: 'SOLR_APP' | 'SYNCRATOR_TARGET' } | null;
  readonly env: string | null;
};

export type SinkSettings = PostgresSettings | SolrSettings;

/** @throws JobError `notConfigured` */
export function readSinkSettings(settings: Settings): SinkSettings {
  const read = { postgres: readPostgresSettings, solr: readSolrSettings };
  return read[settings.oneOf('SINK', ['postgres', 'solr'])](settings);
}

function readPostgresSettings({ required, url, fault }: Settings): PostgresSettings {
  const address = url('SINK_URL', ['postgres:', 'postgresql:']);
  const table = required('SINK_TABLE');
  if (!/^[a-z_][a-z0-9_]{0,50}$/.test(table)) {
    throw fault('SINK_TABLE is not a name of at most 51 small letters, digits and _');
  }
  return { kind: 'postgres', url: address, table };
}

function readSolrSettings({ optional, url, fault }: Settings): SolrSettings {
  const address = url('SOLR_URL', ['http:', 'https:']);
  const key = optional('SOLR_APP') === undefined ? 'SYNCRATOR_TARGET' : 'SOLR_APP';
  const name = optional(key);
  if (name !== undefined && !/^[A-Za-z0-9][-_.A-Za-z0-9]{0,99}$/.test(name)) {
    throw fault(`${key} is no name of an alias (letters, digits, - _ .)`);
  }
  return {
    kind: 'solr',
    url: address,
    app: name === undefined ? null : { name, key },
    env: optional('SYNCRATOR_ENV') ?? null,
  };
}
