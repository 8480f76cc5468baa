/** The program's only reader of its environment and settings file. Settings of source and sink are secrets' neighbours: nothing here is logged. */

import { readFileSync } from 'node:fs';
import { DEFAULT_MAX_DELETE_PERCENT } from '../domain/guard.ts';
import { JobError, reasonOf } from './job-error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export type ReportSettings = { readonly url: string; readonly token: string | null };

export type SourceSettings =
  | { readonly kind: 'ndjson-http'; readonly url: string }
  | { readonly kind: 'ndjson-file'; readonly path: string };

export type SinkSettings = { readonly kind: 'postgres'; readonly url: string; readonly table: string };

export type JobSettings = {
  /** null for rollback, which reads no source. */
  readonly source: SourceSettings | null;
  readonly sink: SinkSettings;
  readonly maxDeletePercent: number;
};

/** Where to report; null without `SYNCRATOR_REPORT_URL`. Separate, since the first report precedes every other setting. */
export function readReportSettings(environment: Environment = process.env): ReportSettings | null {
  const url = environment['SYNCRATOR_REPORT_URL'];
  return url ? { url, token: environment['SYNCRATOR_REPORT_TOKEN'] || null } : null;
}

/** The text of `SYNCRATOR_CHECKPOINT`, unparsed. */
export function readCheckpointText(environment: Environment = process.env): string | null {
  return environment['SYNCRATOR_CHECKPOINT'] || null;
}

/** Reads and checks everything source and sink need; `notConfigured` names the key and where it is set. */
export function readSettings({
  needsSource,
  environment = process.env,
}: {
  needsSource: boolean;
  environment?: Environment;
}): JobSettings {
  const file = environment['SYNCRATOR_SETTINGS_FILE'];
  const values: Environment = file ? { ...environment, ...readFile(file, environment) } : environment;
  const required = (key: string): string => {
    const value = values[key]?.trim();
    if (!value) throw notConfigured(`${key} is missing`, environment);
    return value;
  };
  const oneOf = (key: string, known: string): void => {
    const value = required(key);
    if (value !== known) throw notConfigured(`${key}=${value} is unknown (known: ${known})`, environment);
  };

  let source: SourceSettings | null = null;
  if (needsSource) {
    oneOf('SOURCE', 'ndjson');
    const path = values['SOURCE_FILE']?.trim();
    if (path && values['SOURCE_URL'])
      throw notConfigured('SOURCE_URL and SOURCE_FILE exclude each other', environment);
    source = path ? { kind: 'ndjson-file', path } : { kind: 'ndjson-http', url: required('SOURCE_URL') };
    if (source.kind === 'ndjson-http' && !/^https?:$/.test(protocolOf(source.url))) {
      throw notConfigured('SOURCE_URL is no http(s) URL', environment);
    }
  }
  oneOf('SINK', 'postgres');
  const url = required('SINK_URL');
  if (!/^postgres(ql)?:$/.test(protocolOf(url)))
    throw notConfigured('SINK_URL is no postgres URL', environment);
  const table = required('SINK_TABLE');
  if (!/^[a-z_][a-z0-9_]{0,50}$/.test(table)) {
    throw notConfigured('SINK_TABLE is not a name of at most 51 small letters, digits and _', environment);
  }
  const percent = values['SYNCRATOR_MAX_DELETE_PERCENT'] || String(DEFAULT_MAX_DELETE_PERCENT);
  if (!/^\d{1,3}(\.\d+)?$/.test(percent) || Number(percent) > 100) {
    throw notConfigured('SYNCRATOR_MAX_DELETE_PERCENT is not a number from 0 to 100', environment);
  }
  return { source, sink: { kind: 'postgres', url, table }, maxDeletePercent: Number(percent) };
}

/** KEY=value lines, split at the first `=`; `#` opens a comment only at the start of a line; no quoting. */
export function parseSettingsFile(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/\r$/, '');
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, key, value] = /^\s*([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)$/.exec(line) ?? [];
    // The line itself may hold a secret, so only its number is told.
    if (key === undefined || value === undefined) throw new Error(`line ${index + 1} is not KEY=value`);
    if (key in values) throw new Error(`line ${index + 1} repeats ${key}`);
    values[key] = value.trim();
  }
  return values;
}

function readFile(file: string, environment: Environment): Record<string, string> {
  try {
    return parseSettingsFile(readFileSync(file, 'utf8'));
  } catch (error) {
    throw notConfigured(`SYNCRATOR_SETTINGS_FILE ${file}: ${reasonOf(error)}`, environment, error);
  }
}

function protocolOf(url: string): string {
  return URL.canParse(url) ? new URL(url).protocol : '';
}

function notConfigured(what: string, environment: Environment, cause?: unknown): JobError {
  const key = [environment['SYNCRATOR_ENV'] || '<env>', environment['SYNCRATOR_TARGET'] || '<target>'].join(
    '-',
  );
  return new JobError('notConfigured', `${what}; set it in syncrator-envtarget-${key}`, { cause });
}
