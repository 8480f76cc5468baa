/** Chooses the source the settings name. */

import { createNdjsonFileSource } from './ndjson-file.ts';
import { createNdjsonHttpSource } from './ndjson-http.ts';
import type { Source } from './source.ts';
import type { SourceSettings } from './source-settings.ts';

/** Opens nothing yet: the first call of the source does. An item bank has actions of its own (src/job/item-bank). */
export function openSource(settings: Exclude<SourceSettings, { kind: 'gitlab' }>, stop: AbortSignal): Source {
  return settings.kind === 'ndjson-file'
    ? createNdjsonFileSource({ path: settings.path, stop })
    : createNdjsonHttpSource({ url: settings.url, stop });
}
