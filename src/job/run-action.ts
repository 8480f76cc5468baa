/** Runs one action, from the first report to the exit code. */
import { readFileSync } from 'node:fs';
import { EXIT } from '../domain/exit-code.ts';
import { actOnAccount, isAccount } from './compat/account/act-on-account.ts';
import type { ActionContext } from './actions/action.ts';
import { deleteGone } from './actions/delete.ts';
import { forget } from './actions/forget.ts';
import { delta } from './actions/delta.ts';
import { applyPlan } from './actions/apply-plan.ts';
import { plan } from './actions/plan.ts';
import { remove } from './actions/remove.ts';
import { story } from './actions/story.ts';
import { sync } from './actions/sync.ts';
import { reportApplied } from './actions/report-applied.ts';
import type { JobArguments } from './arguments.ts';
import { parseCheckpoint } from './checkpoint.ts';
import type { GitlabSettings } from './compat/gitlab/gitlab-settings.ts';
import { runItemBank } from './compat/item-bank/run-item-bank.ts';
import { JobError, reasonOf } from './job-error.ts';
import { createLog } from './log.ts';
import { apiOfRemoval, approvedIds } from './losses/approved.ts';
import type { Api } from './losses/job-route.ts';
import { reportHeld } from './losses/report-held.ts';
import { startProgressLog } from './progress-log.ts';
import { asFailedItems, TooManyRejected } from './rejected.ts';
import { BUDGET_MS, createReporter, type Reporter } from './reporter.ts';
import {
  type JobSettings,
  readCheckpointText,
  readPartOfDiff,
  readReportSettings,
  readSettings,
  readTraceparent,
  readWriter,
} from './settings.ts';
import type { Environment } from './settings-file.ts';
import { openSink } from './sinks/open-sink.ts';
import type { Plannable } from '../domain/action.ts';
import type { RollbackTo, Sink } from './sinks/sink.ts';
import { openRecords } from './sources/open-records.ts';
import type { Source } from './sources/source.ts';

/** Kubernetes sends SIGKILL 30 s after SIGTERM; the last report must arrive before that. */
const LAST_REPORT_WHEN_TERMINATED_MS = 10_000;

/** The api takes no more. */
const MOST_WARNINGS = 20;

/** Overrides for tests; each part has its own default. */
type Tuning = {
  /** How long to wait for an unavailable source or sink, in milliseconds. */
  readonly patienceMs?: number;
  /** Longest pause within an HTTP response of the source, in milliseconds. */
  readonly silenceMs?: number;
  /** Smallest batch of the sink, in records. */
  readonly leastBatch?: number;
};

/**
 * Runs an action and returns the exit code; never throws.
 *
 * @param optionsText the command line, for the report
 * @param terminate aborted by SIGTERM: the run finishes its current batch, then ends with 143
 */
export async function runAction({
  arguments: given,
  optionsText,
  environment,
  terminate,
  reportBudgetMs = BUDGET_MS,
  writeLine,
  ...tuning
}: {
  arguments: JobArguments;
  optionsText: string;
  environment?: Environment;
  terminate: AbortSignal;
  reportBudgetMs?: number;
  writeLine?: (line: string) => void;
} & Tuning): Promise<number> {
  const log = createLog({ debug: given.debug, traceparent: readTraceparent(environment) }, writeLine);
  const refusal = new AbortController();
  const stop = AbortSignal.any([terminate, refusal.signal]);
  const reporter = createReporter({
    settings: readReportSettings(environment),
    identity: { options: optionsText, version: programVersion() },
    log,
    stop,
    onRefused: (why) =>
      refusal.abort(new JobError('refused', `the receiver refused a report (${why}); the run was stopped`)),
    budgetMs: reportBudgetMs,
  });
  log.info(`syncrator-job ${programVersion()}: ${optionsText}`);
  try {
    await reporter.first();
  } catch (error) {
    return end(error);
  }
  try {
    await performAction(given, reporter, { environment, log, stop, tuning, reportBudgetMs });
  } catch (error) {
    const message = maskedMessage(error);
    const budget = terminate.aborted ? LAST_REPORT_WHEN_TERMINATED_MS : undefined;
    const bad = error instanceof TooManyRejected ? { failed_items: asFailedItems(error.rejected) } : {};
    await reporter.last({ phase: 'failed', message, waiting_for: null, ...bad }, budget);
    return end(error);
  }
  await reporter.last({ phase: 'done', waiting_for: null });
  log.info('done');
  return EXIT.ok;

  function end(error: unknown): number {
    const exitCode = error instanceof JobError ? error.exitCode : EXIT.failed;
    log.info(`ended with ${exitCode}: ${maskedMessage(error)}`);
    if (error instanceof Error && error.stack) log.debug(error.stack);
    return exitCode;
  }
}

type Runtime = {
  readonly environment: Environment | undefined;
  readonly tuning: Tuning;
  readonly reportBudgetMs: number;
} & Pick<ActionContext, 'log' | 'stop'>;

/** Opens source and sink as the settings say, and runs the action. */
async function performAction(given: JobArguments, reporter: Reporter, runtime: Runtime): Promise<void> {
  const { environment, tuning, reportBudgetMs: budgetMs, log, stop } = runtime;
  if (isAccount(environment)) return await actOnAccount(given, reporter, { environment, log, stop });
  const settings = readSettings({
    needsSource: READS.has(given.action),
    ...(environment ? { environment } : {}),
  });
  const progressLog = startProgressLog(log);
  let warnings: readonly string[] = [];
  let holds = false;
  const progress: ActionContext['progress'] = (news) => {
    warnings = news.warnings ?? warnings;
    holds ||= (news.held ?? 0) > 0;
    reporter.update(news);
    progressLog.update(news);
  };
  const onWait = (words: string | null): void => {
    if (words !== null) log.info(`waiting for ${words}`);
    progress({ waiting_for: words });
  };
  const sink = openSink(settings.sink, {
    given,
    writer: readWriter(given, environment),
    stop,
    onWait,
    log: (line) => log.info(line),
    ...tuning,
  });
  const source = sourceOf(settings, { stop, onWait, writeLog: (line) => log.info(line), ...tuning });
  try {
    reporter.update({
      target_datastore_url: sink.shownAs,
      ...(source.shownAs === null ? {} : { data_source: source.shownAs }),
    });
    log.info(`${source.shownAs ?? 'no source'} -> ${sink.shownAs}, ${sink.place}`);
    stop.throwIfAborted();
    const reports = readReportSettings(environment);
    const api = reports && { settings: reports, budgetMs, onWait, stop };
    await actOn(sink, source, { given, settings, progress, reporter, runtime, api });
    // An item bank and a preview hold nothing.
    if (source.bank !== null || given.preview) return;
    const { action, forceDelete } = given;
    const warning = await reportHeld(sink, api, { action, holds: holds || forceDelete });
    if (warning === null) return;
    log.info(`warning: ${warning}`);
    progress({ warnings: [...warnings, warning].slice(-MOST_WARNINGS) });
  } finally {
    progressLog.stop();
    await source.records?.close?.();
    await sink.close();
  }
}

/** At most one of `bank` and `records` is set; neither for an action that reads no source. */
type OpenedSource = {
  readonly shownAs: string | null;
  readonly bank: GitlabSettings | null;
  readonly records: Source | null;
};

function sourceOf(
  { source: settings, ...of }: Pick<JobSettings, 'source' | 'fields' | 'canaries' | 'sink'>,
  options: Parameters<typeof openRecords>[2],
): OpenedSource {
  if (settings === null) return { shownAs: null, bank: null, records: null };
  if (settings.kind === 'gitlab')
    return { shownAs: `${settings.url}/${settings.group}`, bank: settings, records: null };
  const records = openRecords(settings, of, options);
  return { shownAs: records.shownAs, bank: null, records };
}

type Acting = {
  readonly given: JobArguments;
  readonly settings: JobSettings;
  readonly progress: ActionContext['progress'];
  readonly reporter: Reporter;
  readonly runtime: Runtime;
  readonly api: Api | null;
};

async function actOn(sink: Sink, source: OpenedSource, of: Acting): Promise<void> {
  const { given, progress, runtime, api } = of;
  const { log, stop } = runtime;
  if (given.preview) return progress({ rollback_preview: await sink.previewRollback(rollbackOf(given)) });
  if (given.action === 'story') return await story({ sink, log }, given.ids, api);
  if (given.action === 'plan' || given.action === 'apply') refuseUnplanned(source);
  const done = await sink.open();
  if (done) {
    log.info('an earlier attempt has already applied this step; nothing to do');
    return reportApplied({ progress, log }, done);
  }
  if (given.action === 'take-over') return await sink.takeOver();
  if (given.action === 'forget-record') return await forget({ sink, progress, log }, given.ids);
  if (given.action === 'rollback')
    return reportApplied({ progress, log }, await sink.rollback(rollbackOf(given)));
  if (given.action === 'apply') return await applyPlan({ sink, progress, log }, planOf(given));
  if (given.action === 'remove') {
    if (!source.records)
      throw new JobError('usage', 'remove does not apply to SOURCE=gitlab, which holds no removals');
    const approved = approvedIds(apiOfRemoval(api));
    return await remove({ sink, source: source.records, approved, progress, log, stop });
  }
  await actOnListing(sink, source, { ...of, action: given.action });
}

/** The actions that compare what the source lists with the sink. */
async function actOnListing(
  sink: Sink,
  { bank, records }: OpenedSource,
  of: Acting & { readonly action: Plannable | 'plan' },
): Promise<void> {
  const { given, settings, progress, reporter, runtime, api, action } = of;
  const { environment, tuning, log, stop } = runtime;
  const { maxDeletePercent, maxDeleteRecords, maxUpdatePercent, maxRejected, baseline, watermarkMarginMs } =
    settings;
  const context = {
    sink,
    options: given,
    limits: { maxDeletePercent, maxDeleteRecords, maxUpdatePercent, maxRejected, baseline },
    watermarkMarginMs,
    checkpoint: parseCheckpoint(readCheckpointText(environment)),
    partOfDiff: readPartOfDiff(environment),
    progress,
    log,
    stop,
  };
  if (action === 'plan') {
    if (records && given.of !== null) await plan({ ...context, source: records }, { action: given.of, api });
    return;
  }
  if (bank) {
    const saved = (): Promise<void> => reporter.received();
    return await runItemBank(action, bank, { ...context, ...tuning, saved });
  }
  if (given.items.length > 0)
    throw new JobError('usage', '--item needs SOURCE=gitlab; remove it for other sources');
  if (records) await { sync, delta, delete: deleteGone }[action]({ ...context, source: records });
}

/** Before anything is touched. @throws JobError */
function refuseUnplanned({ bank }: OpenedSource): void {
  if (bank)
    throw new JobError(
      'usage',
      'plan does not apply to SOURCE=gitlab, which writes each item on its own; nothing was touched',
    );
}

function planOf({ plan: uid, digest }: JobArguments): { uid: string; digest: string } {
  return { uid: uid ?? '', digest: digest ?? '' };
}

function rollbackOf({ before, expect, ids, only }: JobArguments): RollbackTo {
  const limit = only ? ('of the job' as const) : ids.length > 0 ? { ids } : undefined;
  return { before, expect, ...(limit && { only: limit }) };
}

/** Actions that read the source. */
const READS: ReadonlySet<string> = new Set(['sync', 'delta', 'delete', 'remove', 'plan']);

function maskedMessage(error: unknown): string {
  return error instanceof JobError ? error.message : reasonOf(error);
}

let version: string | undefined;

function programVersion(): string {
  version ??= String(
    (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: unknown })
      .version,
  );
  return version;
}
