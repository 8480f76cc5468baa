/**
 * `check`: tests source and sink with a target's settings, shows the first records, and says what a sync would do. Writes
 * nothing, reports nothing, and may run beside a job.
 */
import { EXIT } from '../../domain/exit-code.ts';
import { isAccount } from '../compat/account/act-on-account.ts';
import type { JobArguments } from '../arguments.ts';
import { orFault } from '../fault.ts';
import { JobError } from '../job-error.ts';
import { type JobSettings, readSettings, readWriter } from '../settings.ts';
import type { Environment } from '../settings-file.ts';
import { openSink } from '../sinks/open-sink.ts';
import { openRecords } from '../sources/open-records.ts';
import type { RejectedRecord, Source, SourceRecord } from '../sources/source.ts';
import { type Findings, isFault, type SinkFindings, type SourceFindings } from './findings.ts';
import { forecastOf } from './forecast.ts';
import { wordsOf } from './words.ts';

export type CheckInput = {
  /** Those of the sync that is foretold. */
  readonly given: JobArguments;
  readonly environment: Environment;
  readonly terminate: AbortSignal;
  /** Writes the findings as JSON instead of lines. */
  readonly json: boolean;
  readonly write: (text: string) => void;
  /** How long to wait for an unavailable source or sink, in milliseconds. */
  readonly patienceMs?: number;
};

const SHOWN = 5;
/** A person waits for the answer; a job is more patient. */
const PATIENCE_MS = 5_000;

/** @returns the exit code: of the first fault, or of the delete guard; 0 if a sync can be run */
export async function runCheck({ json, write, ...input }: CheckInput): Promise<number> {
  const findings = await findingsOf(input);
  write(json ? `${JSON.stringify(findings, undefined, 2)}\n` : `${wordsOf(findings).join('\n')}\n`);
  for (const part of [findings.source, findings.sink]) if (isFault(part)) return part.exit_code;
  return findings.forecast?.refused === true ? EXIT.deleteGuard : EXIT.ok;
}

type Input = Omit<CheckInput, 'json' | 'write'>;

async function findingsOf(input: Input): Promise<Findings> {
  const settings = await orFault(() => settingsOf(input));
  if (isFault(settings)) return { source: settings, sink: settings, forecast: null };
  const [source, sink] = await Promise.all([
    orFault(() => lookAtSource(settings, input)),
    orFault(() => untilStopped(lookAtSink(settings, input), input.terminate)),
  ]);
  if (isFault(source) || isFault(sink)) return { source, sink, forecast: null };
  const limits = { ...settings, force: input.given.forceDelete };
  return { source, sink, forecast: forecastOf(source.total, sink, limits) };
}

async function settingsOf({ environment }: Input): Promise<JobSettings> {
  if (environment['SYNCRATOR_REPORT_URL'])
    throw new JobError('usage', 'check shows records, so it cannot be the action of a job; use sync');
  if (isAccount(environment)) throw notChecked('rest');
  return await Promise.resolve(readSettings({ needsSource: true, environment }));
}

function notChecked(source: string): JobError {
  return new JobError('usage', `check cannot test SOURCE=${source}; start a job, which tests it first`);
}

async function lookAtSource({ source, ...of }: JobSettings, input: Input): Promise<SourceFindings> {
  if (source === null || source.kind === 'gitlab') throw notChecked('gitlab');
  const { terminate: stop, patienceMs = PATIENCE_MS } = input;
  const opened = openRecords(source, of, { stop, patienceMs, onWait: () => undefined });
  try {
    const { total } = await opened.survey(null);
    return { place: opened.shownAs, total, ...(await firstOf(opened)) };
  } finally {
    await opened.close?.();
  }
}

async function firstOf(source: Source): Promise<Pick<SourceFindings, 'records' | 'rejected'>> {
  const records: SourceRecord[] = [];
  const rejected: RejectedRecord[] = [];
  for await (const batch of source.changedSince(null, null, SHOWN)) {
    records.push(...batch.records);
    rejected.push(...batch.rejected);
    if (records.length + rejected.length >= SHOWN) break;
  }
  return { records: records.slice(0, SHOWN), rejected: rejected.slice(0, SHOWN) };
}

async function lookAtSink({ sink: settings }: JobSettings, input: Input): Promise<SinkFindings> {
  const { given, environment, terminate: stop, patienceMs = PATIENCE_MS } = input;
  const sink = openSink(settings, {
    given,
    writer: readWriter(given, environment),
    stop,
    onWait: () => undefined,
    log: () => undefined,
    patienceMs,
  });
  try {
    return { place: `${sink.shownAs}, ${sink.place}`, ...(await sink.look()) };
  } finally {
    await sink.close();
  }
}

/** A stopped check waits neither for a lock nor for a silent server; its connections end with the process. */
async function untilStopped<T>(work: Promise<T>, stop: AbortSignal): Promise<T> {
  const stopped = Promise.withResolvers<never>();
  const onAbort = () => stopped.reject(stop.reason);
  stop.addEventListener('abort', onAbort, { once: true });
  if (stop.aborted) onAbort();
  return await Promise.race([work, stopped.promise]);
}
