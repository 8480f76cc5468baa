/** Which source there is, and what it needs to know. */

import type { Settings } from '../settings-file.ts';
import { type GitlabSettings, readGitlabSettings } from './gitlab/gitlab-settings.ts';

export type SourceSettings =
  | { readonly kind: 'ndjson-http'; readonly url: string }
  | { readonly kind: 'ndjson-file'; readonly path: string }
  | GitlabSettings;

const HTTP = ['http:', 'https:'];

/** @throws JobError `notConfigured` */
export function readSourceSettings(settings: Settings): SourceSettings {
  // `rest` is known, and read elsewhere: src/job/account/.
  const source = settings.oneOf('SOURCE', ['ndjson', 'gitlab', 'rest']);
  return source === 'gitlab' ? readGitlabSettings(settings) : readNdjsonSettings(settings);
}

function readNdjsonSettings({ optional, url, fault }: Settings): SourceSettings {
  const path = optional('SOURCE_FILE');
  if (path === undefined) return { kind: 'ndjson-http', url: url('SOURCE_URL', HTTP) };
  if (optional('SOURCE_URL') !== undefined) throw fault('SOURCE_URL and SOURCE_FILE exclude each other');
  return { kind: 'ndjson-file', path };
}
