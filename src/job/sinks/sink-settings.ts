/** Which sink there is, and what it needs to know. */

import type { Settings } from '../settings-file.ts';

export type PostgresSettings = { readonly kind: 'postgres'; readonly url: string; readonly table: string };

export type SinkSettings = PostgresSettings;

/** @throws JobError `notConfigured` */
export function readSinkSettings(settings: Settings): SinkSettings {
  settings.oneOf('SINK', ['postgres']);
  return readPostgresSettings(settings);
}

function readPostgresSettings({ required, url, fault }: Settings): PostgresSettings {
  const address = url('SINK_URL', ['postgres:', 'postgresql:']);
  const table = required('SINK_TABLE');
  if (!/^[a-z_][a-z0-9_]{0,50}$/.test(table)) {
    throw fault('SINK_TABLE is not a name of at most 51 small letters, digits and _');
  }
  return { kind: 'postgres', url: address, table };
}
