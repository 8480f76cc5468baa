/** `db purge`: deletes old logs and jobs; prints the plan, the progress and the result. */
import { createCountDisplay } from '../terminal/count-line.ts';
import { CliFailure } from '../terminal/failure.ts';
import { type Format, print, tableOf } from '../terminal/output.ts';
import { bytesOf } from '../client/format.ts';
import { type Plan, planPurge, purge } from '../engine/retention.ts';
import { byCommand } from './by.ts';
import { withSchema } from './database.ts';

type Options = {
  readonly logsOlderThan?: number;
  readonly jobsOlderThan?: number;
  readonly dryRun?: true;
};

/** @throws CliFailure without an age, and while another purge runs */
export async function purgeOld(format: Format, options: Options, reason?: string): Promise<void> {
  const keep = { logsSeconds: options.logsOlderThan, jobsSeconds: options.jobsOlderThan };
  if (keep.logsSeconds === undefined && keep.jobsSeconds === undefined)
    throw new CliFailure('nothing to delete: use --logs-older-than 90d or --jobs-older-than 2y');
  await withSchema(async (db) => {
    const plan = await planPurge(db, keep);
    if (options.dryRun) return print(format, { dry_run: true, ...shown(plan) }, () => tableOfPlan(plan));
    if (format === 'table') process.stderr.write(`${tableOfPlan(plan)}\n`);
    const display = createCountDisplay(plan.logs + plan.jobs);
    const purged = await purge(db, keep, {
      by: byCommand('db', reason),
      onProgress: ({ logs, jobs }) => display.show(logs + jobs),
    });
    display.end();
    if (!purged) throw new CliFailure('a worker or another purge is deleting now: try again later');
    const { logs, logBytes, jobs, records } = purged;
    const data = { dry_run: false, logs, log_bytes: logBytes, jobs, records };
    print(
      format,
      data,
      () => `deleted the logs of ${count(logs)} (${bytesOf(logBytes)}), and ${count(jobs)}`,
    );
  });
}

function shown({ logsBefore, jobsBefore, logs, logBytes, jobs }: Plan) {
  const time = (at: Date | undefined) => at?.toISOString() ?? null;
  return { logs_before: time(logsBefore), jobs_before: time(jobsBefore), logs, log_bytes: logBytes, jobs };
}

function tableOfPlan({ logsBefore, jobsBefore, logs, logBytes, jobs }: Plan): string {
  const rows = [
    ...(logsBefore ? [['logs', logsBefore.toISOString(), count(logs), bytesOf(logBytes)]] : []),
    ...(jobsBefore ? [['jobs', jobsBefore.toISOString(), count(jobs), '']] : []),
  ];
  return tableOf(['TO DELETE', 'ENDED BEFORE', 'OF', 'TEXT'], rows, '');
}

function count(jobs: number): string {
  return `${jobs.toLocaleString('en')} ${jobs === 1 ? 'job' : 'jobs'}`;
}
