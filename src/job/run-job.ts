/** One run from the first report to the exit code. */

import { readFileSync } from 'node:fs';
import { EXIT } from '../domain/exit-code.ts';
import { actOnAccount, isAccount } from './account/act-on-account.ts';
import type { ActionContext } from './actions/action.ts';
import { deleteGone } from './actions/delete.ts';
import { delta } from './actions/delta.ts';
import { sync } from './actions/sync.ts';
import type { JobArguments } from './arguments.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { runItemBank } from './item-bank/run-item-bank.ts';
import { JobError, reasonOf } from './job-error.ts';
import { createLog } from './log.ts';
import { startProgressLog } from './progress-log.ts';
import { createReporter, type Reporter } from './reporter.ts';
import { readCheckpointText, readReportSettings, readSettings, readTraceparent } from './settings.ts';
import type { Environment } from './settings-file.ts';
import { openSink } from './sinks/open-sink.ts';
import { openSource } from './sources/open-source.ts';

/** Kubernetes kills 30 s after SIGTERM: a last report that is not through by then never will be. */
const LAST_REPORT_WHEN_TERMINATED_MS = 10_000;

/**
 * Runs an action and returns the exit code; never throws.
 *
 * @param optionsText the arguments as they were given, for the report
 * @param terminate aborted by SIGTERM: the batch in hand is finished, then the run ends with 143
 */
export async function runJob({
  arguments: given,
  optionsText,
  environment,
  terminate,
  reportBudgetMs,
  writeLine,
}: {
  arguments: JobArguments;
  optionsText: string;
  environment?: Environment;
  terminate: AbortSignal;
  reportBudgetMs?: number;
  writeLine?: (line: string) => void;
}): Promise<number> {
  const log = createLog({ debug: given.debug, traceparent: readTraceparent(environment) }, writeLine);
  const refusal = new AbortController();
  const stop = AbortSignal.any([terminate, refusal.signal]);
  const reporter = createReporter({
    settings: readReportSettings(environment),
    identity: { options: optionsText, version: programVersion() },
    log,
    stop,
    onRefused: (why) => refusal.abort(new JobError('refused', `a report was refused (${why}); stopped`)),
    ...(reportBudgetMs === undefined ? {} : { budgetMs: reportBudgetMs }),
  });
  log.info(`syncrator-job ${programVersion()}: ${optionsText}`);
  try {
    await reporter.first();
  } catch (error) {
    return end(error);
  }
  try {
    await act(given, reporter, { environment, log, stop });
  } catch (error) {
    const message = maskedMessage(error);
    const budget = terminate.aborted ? LAST_REPORT_WHEN_TERMINATED_MS : undefined;
    await reporter.last({ phase: 'failed', message }, budget);
    return end(error);
  }
  await reporter.last({ phase: 'done' });
  log.info('done');
  return EXIT.ok;

  function end(error: unknown): number {
    const exitCode = error instanceof JobError ? error.exitCode : EXIT.failed;
    log.info(`ended with ${exitCode}: ${maskedMessage(error)}`);
    if (error instanceof Error && error.stack) log.debug(error.stack);
    return exitCode;
  }
}

async function act(
  given: JobArguments,
  reporter: Reporter,
  { environment, ...rest }: { environment: Environment | undefined } & Pick<ActionContext, 'log' | 'stop'>,
): Promise<void> {
  const { log, stop } = rest;
  if (isAccount(environment)) return await actOnAccount(given, reporter, { environment, ...rest });
  const needsSource = given.action !== 'rollback';
  const settings = readSettings({ needsSource, ...(environment ? { environment } : {}) });
  const sink = openSink(settings.sink, given);
  const bank = settings.source?.kind === 'gitlab' ? settings.source : null;
  const source =
    settings.source && settings.source.kind !== 'gitlab' ? openSource(settings.source, stop) : null;
  const shownSource = source?.shownAs ?? (bank && `${bank.url}/${bank.group}`);
  const progressLog = startProgressLog(log);
  try {
    reporter.update({
      target_datastore_url: sink.shownAs,
      ...(shownSource === null ? {} : { data_source: shownSource }),
    });
    log.info(`${shownSource ?? 'no source'} -> ${sink.shownAs}, ${sink.place}`);
    stop.throwIfAborted();
    await sink.open();
    if (given.action === 'rollback') return await sink.rollback();
    const progress: ActionContext['progress'] = (news) => {
      reporter.update(news);
      progressLog.update(news);
    };
    const { maxDeletePercent } = settings;
    const checkpoint = parseCheckpoint(readCheckpointText(environment));
    const context = { sink, options: given, maxDeletePercent, checkpoint, progress, ...rest };
    if (!bank && given.items.length > 0) throw new JobError('usage', '--item needs SOURCE=gitlab');
    if (bank) await runItemBank(given.action, bank, { ...context, saved: () => reporter.received() });
    else if (source) await { sync, delta, delete: deleteGone }[given.action]({ ...context, source });
  } finally {
    progressLog.stop();
    await sink.close();
  }
}

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
