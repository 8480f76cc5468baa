/** Writes the settings of the demo target `cities` in `dev`, unless the user has edited them. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const MARKER = '# written by npm start; an edited file is left alone';

/**
 * Writes `<dataDir>/envtarget/dev-cities.env`, mode 0600.
 * @returns false when the file was edited since we wrote it; it is then left as it is
 */
export function writeDemoTarget(dataDir: string, demo: { sourceUrl: string; sinkUrl: string }): boolean {
  const file = path.join(dataDir, 'envtarget', 'dev-cities.env');
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  if (existsSync(file) && !isOurs(readFileSync(file, 'utf8'))) return false;
  const settings = [
    'SOURCE=ndjson',
    `SOURCE_URL=${demo.sourceUrl.replace(/\/+$/, '')}/records`,
    'SINK=postgres',
    `SINK_URL=${demo.sinkUrl}`,
    'SINK_TABLE=cities',
    '',
  ].join('\n');
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${MARKER} (${digest(settings)})\n${settings}`, { mode: 0o600 });
  renameSync(draft, file);
  return true;
}

function isOurs(content: string): boolean {
  const lineEnd = content.indexOf('\n');
  return content.slice(0, lineEnd) === `${MARKER} (${digest(content.slice(lineEnd + 1))})`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
