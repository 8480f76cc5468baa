/** Creates the source that the settings name. */
import type { Patience } from '../http/outage.ts';
import { createConnectorSource } from './connector/connector-source.ts';
import { createFilesSource } from './files/files-source.ts';
import { createNdjsonFileSource, SETTLE_MS } from './ndjson-file.ts';
import { createNdjsonHttpSource } from './ndjson-http.ts';
import { createOaiSource } from './oai-pmh/oai-source.ts';
import type { Source } from './source.ts';
import type { SourceSettings } from './source-settings.ts';
import { createSqlSource } from './sql/sql-source.ts';

/**
 * Connects on first use. An item bank is not a Source: it has its own actions (src/job/compat/item-bank).
 *
 * @param options.writeLog takes the words of a program that is the source
 * @param options.patienceMs longest outage; also limits how long a file is watched for changes
 * @param options.silenceMs longest pause of a server; a connector has a setting for its own
 */
export function openSource(
  settings: Exclude<SourceSettings, { kind: 'gitlab' }>,
  options: {
    stop: AbortSignal;
    onWait: Patience['onWait'];
    writeLog?: (line: string) => void;
    patienceMs?: number;
    silenceMs?: number;
  },
): Source {
  if (settings.kind === 'ndjson-http') return createNdjsonHttpSource({ url: settings.url, ...options });
  if (settings.kind === 'sql') return createSqlSource({ settings, ...options });
  if (settings.kind === 'files') return createFilesSource({ settings, ...options });
  if (settings.kind === 'oai-pmh') return createOaiSource({ settings, ...options });
  if (settings.kind === 'connector') return createConnectorSource({ settings, ...options });
  const { stop, onWait, patienceMs } = options;
  const { path, renamedIntoPlace } = settings;
  return createNdjsonFileSource({
    path,
    renamedIntoPlace,
    stop,
    onWait,
    ...(patienceMs === undefined ? {} : { settleMs: Math.min(SETTLE_MS, patienceMs) }),
  });
}
