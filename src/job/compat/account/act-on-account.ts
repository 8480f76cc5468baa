/** Runs an action of SOURCE=rest, which synchronises one account from a web API: settings, progress, run. */
import type { ActionContext } from '../../actions/action.ts';
import type { JobArguments } from '../../arguments.ts';
import { shownUrl } from '../../mask.ts';
import { startProgressLog } from '../../progress-log.ts';
import type { Reporter } from '../../reporter.ts';
import { readLimits } from '../../settings.ts';
import { type Environment, openSettings } from '../../settings-file.ts';
import { readAccountSettings } from './account-settings.ts';
import { runAccount } from './run-account.ts';

/** True for SOURCE=rest, which has its own settings and actions. */
export function isAccount(environment: Environment = process.env): boolean {
  return openSettings(environment).optional('SOURCE') === 'rest';
}

/** @throws JobError */
export async function actOnAccount(
  options: JobArguments,
  reporter: Reporter,
  {
    environment = process.env,
    log,
    stop,
  }: { environment: Environment | undefined } & Pick<ActionContext, 'log' | 'stop'>,
): Promise<void> {
  const opened = openSettings(environment);
  const settings = readAccountSettings(opened);
  const { maxDeletePercent, maxDeleteRecords } = readLimits(opened);
  const { apiUrl, schema } = settings;
  const sink = shownUrl(settings.sinkUrl);
  reporter.update({ data_source: apiUrl, target_datastore_url: sink });
  log.info(`${apiUrl} -> ${sink}, the account's tables in schema ${schema}`);
  const progressLog = startProgressLog(log);
  const progress: ActionContext['progress'] = (news) => {
    reporter.update(news);
    progressLog.update(news);
  };
  try {
    await runAccount(settings, { options, maxDeletePercent, maxDeleteRecords, progress, log, stop });
  } finally {
    progressLog.stop();
  }
}
