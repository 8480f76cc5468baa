/** Opens the source on a stand-in repository. */
import type { OaiSourceOptions } from '../../../src/job/sources/oai-pmh/oai-source.ts';
import { createOaiSource } from '../../../src/job/sources/oai-pmh/oai-source.ts';
import { readOaiSettings } from '../../../src/job/sources/oai-pmh/oai-settings.ts';
import type { Source, SourceRecord } from '../../../src/job/sources/source.ts';
import { openSettings } from '../../../src/job/settings-file.ts';
import { collect } from '../../job/support/fake-source.ts';

export function openOai(
  { url }: { url: string },
  settings: Record<string, string> = {},
  options: Partial<OaiSourceOptions> = {},
): Source {
  return createOaiSource({
    settings: readOaiSettings(openSettings({ SOURCE_URL: url, ...settings })),
    stop: new AbortController().signal,
    patienceMs: 500,
    ...options,
  });
}

export async function recordsIn(source: Source, since: Date | null = null): Promise<SourceRecord[]> {
  return (await collect(source.changedSince(since, null, 7))).flatMap(({ records }) => records);
}

export async function idsIn(source: Source): Promise<string[]> {
  return (await collect(source.ids(7))).flatMap(({ ids }) => ids);
}
