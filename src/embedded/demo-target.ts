/** Writes the settings of the demo target `cities` in `dev`, unless somebody has made them their own. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const MARKER = '# written by npm start';

/**
 * Writes `<dataDir>/envtarget/dev-cities.env`, mode 0600.
 * @returns false when the file is the user's: its first line is no longer our marker
 */
export function writeDemoTarget(dataDir: string, demo: { sourceUrl: string; sinkUrl: string }): boolean {
  const file = path.join(dataDir, 'envtarget', 'dev-cities.env');
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  if (existsSync(file) && !readFileSync(file, 'utf8').startsWith(MARKER)) return false;
  const lines = [
    `${MARKER}; delete this line to keep your own values`,
    'SOURCE=ndjson',
    `SOURCE_URL=${demo.sourceUrl.replace(/\/+$/, '')}/records`,
    'SINK=postgres',
    `SINK_URL=${demo.sinkUrl}`,
    'SINK_TABLE=cities',
  ];
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${lines.join('\n')}\n`, { mode: 0o600 });
  renameSync(draft, file);
  return true;
}
