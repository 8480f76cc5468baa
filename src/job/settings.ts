/** What the program is told by its environment and settings file. Settings of source and sink are secrets' neighbours: nothing here is logged. */

import { DEFAULT_MAX_DELETE_PERCENT } from '../domain/guard.ts';
import { parseTraceparent } from '../domain/trace.ts';
import { type Environment, openSettings, type Settings } from './settings-file.ts';
import { readSinkSettings, type SinkSettings } from './sinks/sink-settings.ts';
import { readSourceSettings, type SourceSettings } from './sources/source-settings.ts';

export type ReportSettings = {
  readonly url: string;
  readonly token: string | null;
  readonly traceparent?: string | undefined;
};

export type JobSettings = {
  /** null for rollback, which reads no source. */
  readonly source: SourceSettings | null;
  readonly sink: SinkSettings;
  readonly maxDeletePercent: number;
};

/** Where to report; null without `SYNCRATOR_REPORT_URL`. Separate, since the first report precedes every other setting. */
export function readReportSettings(environment: Environment = process.env): ReportSettings | null {
  const url = environment['SYNCRATOR_REPORT_URL'];
  if (!url) return null;
  const token = environment['SYNCRATOR_REPORT_TOKEN'] || null;
  return { url, token, traceparent: readTraceparent(environment) };
}

/** What every line and report goes on with; W3C. */
export function readTraceparent(environment: Environment = process.env): string | undefined {
  const text = environment['TRACEPARENT'];
  return parseTraceparent(text) ? text : undefined;
}

/** The text of `SYNCRATOR_CHECKPOINT`, unparsed. */
export function readCheckpointText(environment: Environment = process.env): string | null {
  return environment['SYNCRATOR_CHECKPOINT'] || null;
}

/** Reads and checks everything source and sink need. @throws JobError `notConfigured`, naming the key and where it is set */
export function readSettings({
  needsSource,
  environment = process.env,
}: {
  needsSource: boolean;
  environment?: Environment;
}): JobSettings {
  const settings = openSettings(environment);
  const source = needsSource ? readSourceSettings(settings) : null;
  const sink = readSinkSettings(settings);
  if (source?.kind === 'gitlab' && sink.kind !== 'postgres') {
    throw settings.fault('SINK is not postgres, which SOURCE=gitlab needs');
  }
  return { source, sink, maxDeletePercent: readMaxDeletePercent(settings) };
}

/** 0 to 100. */
export function readMaxDeletePercent({ optional, fault }: Settings): number {
  const percent = optional('SYNCRATOR_MAX_DELETE_PERCENT') ?? String(DEFAULT_MAX_DELETE_PERCENT);
  if (!/^\d{1,3}(\.\d+)?$/.test(percent) || Number(percent) > 100) {
    throw fault('SYNCRATOR_MAX_DELETE_PERCENT is not a number from 0 to 100');
  }
  return Number(percent);
}
