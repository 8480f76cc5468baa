/** Reads the source of its environment to the end and throws the records away, so that no sink slows it down. */
import '../src/job/v8-flags.ts';
import { openSettings } from '../src/job/settings-file.ts';
import { openSource } from '../src/job/sources/open-source.ts';
import { readSourceSettings } from '../src/job/sources/source-settings.ts';

/** As a sync reads with its default options. */
const BATCH = 1_000;

const settings = readSourceSettings(openSettings(process.env));
if (settings.kind === 'gitlab') throw new Error('an item bank is no source of records');
const source = openSource(settings, { stop: new AbortController().signal, onWait: () => {} });
const { total } = await source.survey(null);
let count = 0;
for await (const { records } of source.changedSince(null, null, BATCH)) count += records.length;
await source.close?.();
if (total !== null && count !== total) throw new Error(`read ${count} of ${total} records`);
