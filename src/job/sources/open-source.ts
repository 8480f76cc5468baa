/** Chooses the source the settings name. */

import { createNdjsonFileSource } from './ndjson-file.ts';
import { createNdjsonHttpSource } from './ndjson-http.ts';
import type { Source } from './source.ts';
import type { SourceSettings } from './source-settings.ts';

/** Opens nothing yet: the first call of the source does. */
export function openSource(settings: SourceSettings, stop: AbortSignal): Source {
  return settings.kind === 'ndjson-file'
    ? createNdjsonFileSource({ path: settings.path, stop })
    : createNdjsonHttpSource({ url: settings.url, stop });
}
