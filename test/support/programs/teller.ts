/**
 * Reports what a file says for its action, and changes nothing: for tests of how page and command line show it.
 * `--tell FILE`: JSON, reports by action, or by `preview` for `rollback --preview`. Ignores other options.
 */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Report } from '../../../src/domain/report.ts';

export type Tale = {
  readonly reports: readonly Omit<Report, 'seq'>[];
  /** The last report waits until this file exists. */
  readonly until?: string;
  readonly exit?: number;
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  strict: false,
  options: { tell: { type: 'string' }, preview: { type: 'boolean' } },
});
const tales = JSON.parse(readFileSync(String(values.tell), 'utf8')) as Record<string, Tale | undefined>;
const action = values.preview === true ? 'preview' : (positionals[0] ?? '');
const { reports, until, exit = 0 }: Tale = tales[action] ?? { reports: [{ phase: 'done' }] };
console.log(`${action} tells what ${String(values.tell)} says`);
for (const [at, report] of reports.entries()) {
  while (at === reports.length - 1 && until !== undefined && !existsSync(until)) await wait(20);
  const answer = await fetch(process.env['SYNCRATOR_REPORT_URL'] ?? '', {
    method: 'PUT',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${process.env['SYNCRATOR_REPORT_TOKEN'] ?? ''}`,
    },
    body: JSON.stringify({ seq: at + 1, ...report }),
    signal: AbortSignal.timeout(10_000),
  });
  if (!answer.ok) throw new Error(`report ${at + 1} was answered ${answer.status}: ${await answer.text()}`);
}
process.exitCode = exit;
