/** Opens a source that is a stand-in of a connector, with records that a test can change. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { openSource } from '../../../../../src/job/sources/open-source.ts';
import type { Source } from '../../../../../src/job/sources/source.ts';
import { readSourceSettings } from '../../../../../src/job/sources/source-settings.ts';
import { openSettings } from '../../../../../src/job/settings-file.ts';

const STAND_IN = resolve(import.meta.dirname, '../../../../support/connector/stand-in.ts');
const COMMAND = `${process.execPath} ${STAND_IN}`;

export type Drop = {
  readonly path: (name: string) => string;
  /** @returns the config that names them */
  readonly records: (rows: readonly Record<string, unknown>[]) => { records: string };
};

/** A folder for as long as the test runs. */
export function drop(): Drop {
  const folder = mkdtempSync(join(tmpdir(), 'syncrator-connector-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = (name: string): string => join(folder, name);
  return {
    path,
    records(rows) {
      writeFileSync(path('records.json'), JSON.stringify(rows));
      return { records: path('records.json') };
    },
  };
}

export function settingsOf(config: unknown, more: Record<string, string> = {}): Record<string, string> {
  return {
    SOURCE: 'connector',
    CONNECTOR: COMMAND,
    CONNECTOR_CONFIG: JSON.stringify(config),
    CONNECTOR_STREAM: 'places',
    ...more,
  };
}

/** @param of.log takes the lines of the job's log */
export function open(
  environment: Record<string, string>,
  of: { stop?: AbortSignal; log?: string[] } = {},
): Source {
  const settings = readSourceSettings(openSettings(environment));
  if (settings.kind !== 'connector') throw new Error('not a connector');
  const { stop = new AbortController().signal, log = [] } = of;
  const source = openSource(settings, {
    stop,
    onWait: () => undefined,
    writeLog: (line) => void log.push(line),
  });
  return source;
}
