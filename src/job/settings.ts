/**
 * Reads the program's settings from environment and settings file. Source and sink settings may contain secrets:
 * log none of them.
 */
import { BASELINE_MODES, type BaselineMode } from '../domain/baseline.ts';
import { ALWAYS_ALLOWED, DEFAULT_MAX_DELETE_PERCENT } from '../domain/guard.ts';
import { parseTraceparent } from '../domain/trace.ts';
import type { Fields } from './fields/apply-rules.ts';
import { readFields, refuseRecordSettings } from './fields/fields-settings.ts';
import { hashedId } from './fields/hashed-id.ts';
import { readCount, readDuration, readPercent } from './setting-values.ts';
import type { JobArguments } from './arguments.ts';
import { type Environment, openSettings, type Settings } from './settings-file.ts';
import { readSinkSettings, type SinkSettings } from './sinks/sink-settings.ts';
import { newRun, type Writer } from './sinks/writer.ts';
import { readCanaries } from './sources/canary-settings.ts';
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
  /** null: records stay as the source lists them. */
  readonly fields: Fields | null;
  /** Ids that every complete listing has; empty without CANARY_IDS. */
  readonly canaries: readonly string[];
  readonly maxDeletePercent: number;
  /** Removals up to this number are allowed at any percentage. */
  readonly maxDeleteRecords: number;
  /** null: no limit. */
  readonly maxUpdatePercent: number | null;
  /** Bad records that are set aside before the run fails. */
  readonly maxRejected: number;
  /** The consequence of unusual counts. */
  readonly baseline: BaselineMode;
  /** A watermark lies this many milliseconds before the source's clock. */
  readonly watermarkMarginMs: number;
};

const MOST_RECORDS = 1_000_000_000;
/** A report lists every rejected record and has room for this many. */
const MOST_REJECTED = 1_000;

/**
 * The report receiver; null without `SYNCRATOR_REPORT_URL`. Read first: the first report goes out before other
 * settings are checked.
 */
export function readReportSettings(environment: Environment = process.env): ReportSettings | null {
  const url = environment['SYNCRATOR_REPORT_URL'];
  if (!url) return null;
  const token = environment['SYNCRATOR_REPORT_TOKEN'] || null;
  return { url, token, traceparent: readTraceparent(environment) };
}

/** The W3C trace context of all log lines and reports; undefined if missing or malformed. */
export function readTraceparent(environment: Environment = process.env): string | undefined {
  const text = environment['TRACEPARENT'];
  return parseTraceparent(text) ? text : undefined;
}

/** The text of `SYNCRATOR_CHECKPOINT`, unparsed. */
export function readCheckpointText(environment: Environment = process.env): string | null {
  return environment['SYNCRATOR_CHECKPOINT'] || null;
}

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** The identity that the runner sets in the environment; a stand-alone run has none. */
export function readWriter(
  { jobId, action, of }: Pick<JobArguments, 'jobId' | 'action' | 'of'>,
  environment: Environment = process.env,
): Writer {
  const uid = (key: string): string | null => {
    const text = environment[key] ?? '';
    return UUID.test(text) ? text : null;
  };
  const whole = (key: string, otherwise: number): number => {
    const text = environment[key] ?? '';
    return /^\d{1,9}$/.test(text) ? Number(text) : otherwise;
  };
  const jobUid = uid('SYNCRATOR_JOB_UID');
  return {
    installation: uid('SYNCRATOR_INSTALLATION'),
    env: environment['SYNCRATOR_ENV'] ?? null,
    target: environment['SYNCRATOR_TARGET'] ?? null,
    jobId,
    jobUid,
    originUid: uid('SYNCRATOR_ORIGIN_UID') ?? jobUid,
    step: whole('SYNCRATOR_STEP', 0),
    attempt: whole('SYNCRATOR_ATTEMPT', 1),
    action: of ?? action,
    ...(of !== null && { plans: true }),
    run: newRun(),
  };
}

/** True in the delete step of a diff. */
export function readPartOfDiff(environment: Environment = process.env): boolean {
  return environment['SYNCRATOR_PART_OF'] === 'diff';
}

/**
 * Reads and checks all settings of source and sink.
 * @throws JobError `notConfigured`, which names the key and where to set it
 */
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
  if (source?.kind === 'gitlab' && sink.kind !== 'postgres')
    throw settings.fault('SINK is not postgres: SOURCE=gitlab needs SINK=postgres');
  const rows =
    source?.kind === 'sql' || source?.kind === 'files' || source?.kind === 'connector' ? source : null;
  if (rows?.updatedAt === null && sink.kind !== 'postgres')
    throw settings.fault(
      `SOURCE_UPDATED_AT is missing: SINK=${sink.kind} finds changed records by their time`,
    );
  if (source?.kind === 'gitlab') {
    refuseRecordSettings(settings, 'gitlab');
    if (sink.kind === 'postgres' && sink.columns?.keepsRecord === false)
      throw settings.fault('SINK_RECORD is false: SOURCE=gitlab finds its revisions in the column record');
  }
  const fields = needsSource ? readFields(settings) : null;
  if (rows?.id === null && fields?.rules.some(({ does }) => does === 'hash'))
    throw settings.fault('SOURCE_ID is missing: FIELDS has a rule hash, and an id could show the same value');
  const inId = fields && rows ? hashedId(fields.rules, rows.id ?? []) : null;
  if (inId) {
    const fix = 'name another column there, or remove the rule';
    throw settings.fault(
      `${inId.place} hides nothing, since SOURCE_ID puts ${inId.column} into each id; ${fix}`,
    );
  }
  const canaries = needsSource ? readCanaries(settings) : [];
  return { source, sink, fields, canaries, ...readLimits(settings) };
}

/** The guards' limits, MAX_REJECTED, BASELINE and the watermark margin. */
export function readLimits(
  settings: Settings,
): Pick<
  JobSettings,
  | 'maxDeletePercent'
  | 'maxDeleteRecords'
  | 'maxUpdatePercent'
  | 'maxRejected'
  | 'baseline'
  | 'watermarkMarginMs'
> {
  return {
    maxDeletePercent: readMaxDeletePercent(settings),
    maxDeleteRecords: readCount(settings, 'SYNCRATOR_MAX_DELETE_RECORDS', MOST_RECORDS) ?? ALWAYS_ALLOWED,
    maxUpdatePercent: readPercent(settings, 'SYNCRATOR_MAX_UPDATE_PERCENT'),
    maxRejected: readCount(settings, 'MAX_REJECTED', MOST_REJECTED) ?? 0,
    baseline: readBaseline(settings),
    watermarkMarginMs: readDuration(settings, 'WATERMARK_MARGIN', '1h'),
  };
}

function readBaseline({ optional, fault }: Settings): BaselineMode {
  const text = optional('BASELINE') ?? 'watch';
  const mode = BASELINE_MODES.find((one) => one === text);
  if (mode === undefined) throw fault(`BASELINE is not one of ${BASELINE_MODES.join(', ')}`);
  return mode;
}

/** 0 to 100. */
function readMaxDeletePercent(settings: Settings): number {
  return readPercent(settings, 'SYNCRATOR_MAX_DELETE_PERCENT') ?? DEFAULT_MAX_DELETE_PERCENT;
}
