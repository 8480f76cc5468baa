/** Reads the settings of the source. */
import { readFlag } from '../setting-values.ts';
import type { Settings } from '../settings-file.ts';
import { type ConnectorSettings, readConnectorSettings } from './connector/connector-settings.ts';
import { type FilesSettings, readFilesSettings } from './files/files-settings.ts';
import { type OaiSettings, readOaiSettings } from './oai-pmh/oai-settings.ts';
import { readSqlSettings, type SqlSettings } from './sql/sql-settings.ts';
import { type GitlabSettings, readGitlabSettings } from '../compat/gitlab/gitlab-settings.ts';

export type NdjsonFileSettings = {
  readonly kind: 'ndjson-file';
  readonly path: string;
  /** The writer renames the file into place once it is complete. */
  readonly renamedIntoPlace: boolean;
};

export type SourceSettings =
  | { readonly kind: 'ndjson-http'; readonly url: string }
  | NdjsonFileSettings
  | SqlSettings
  | FilesSettings
  | OaiSettings
  | ConnectorSettings
  | GitlabSettings;

const HTTP = ['http:', 'https:'];

/** @throws JobError `notConfigured` */
export function readSourceSettings(settings: Settings): SourceSettings {
  // `rest` is valid too; src/job/compat/account/ reads its settings.
  const source = settings.oneOf('SOURCE', [
    'ndjson',
    'sql',
    'files',
    'oai-pmh',
    'connector',
    'gitlab',
    'rest',
  ]);
  if (source === 'sql') return readSqlSettings(settings);
  if (source === 'files') return readFilesSettings(settings);
  if (source === 'oai-pmh') return readOaiSettings(settings);
  if (source === 'connector') return readConnectorSettings(settings);
  return source === 'gitlab' ? readGitlabSettings(settings) : readNdjsonSettings(settings);
}

function readNdjsonSettings(settings: Settings): SourceSettings {
  const { optional, url, fault } = settings;
  const path = optional('SOURCE_FILE');
  if (path === undefined) {
    if (optional('SOURCE_URL') === undefined) throw fault('SOURCE_URL (or SOURCE_FILE) is missing');
    return { kind: 'ndjson-http', url: url('SOURCE_URL', HTTP) };
  }
  if (optional('SOURCE_URL') !== undefined)
    throw fault('SOURCE_URL and SOURCE_FILE are both set, and only one is allowed');
  return { kind: 'ndjson-file', path, renamedIntoPlace: readFlag(settings, 'SOURCE_FILE_COMPLETE') };
}
