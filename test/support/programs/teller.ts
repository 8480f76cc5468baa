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
  /** Uploaded before the last report: the whole waiting set of the target. */
  readonly held?: HeldSet;
  /** Uploaded before the last report: the story of a record. */
  readonly story?: object;
  /** Uploaded before the last report: what the job would change. */
  readonly plan?: PlannedSet;
};

export type PlannedSet = {
  readonly records: readonly {
    readonly id: string;
    readonly kind: 'added' | 'updated' | 'removed' | 'held';
    readonly before: Readonly<Record<string, unknown>> | null;
    readonly after: Readonly<Record<string, unknown>> | null;
  }[];
  readonly summary: Readonly<Record<string, unknown>>;
};

export type HeldSet = {
  /** Live records of the target. */
  readonly live: number;
  readonly reason?: 'anomaly';
  readonly records: readonly {
    readonly id: string;
    readonly missing_since: string;
    readonly last_seen: string | null;
    readonly updated_at: string | null;
    readonly record: Readonly<Record<string, unknown>> | null;
  }[];
};

const PAGE = 500;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  strict: false,
  options: { tell: { type: 'string' }, preview: { type: 'boolean' } },
});
const tales = JSON.parse(readFileSync(String(values.tell), 'utf8')) as Record<string, Tale | undefined>;
const action = values.preview === true ? 'preview' : (positionals[0] ?? '');
const {
  reports,
  until,
  exit = 0,
  held,
  story,
  plan,
}: Tale = tales[action] ?? { reports: [{ phase: 'done' }] };
console.log(`${action} tells what ${String(values.tell)} says`);
for (const [at, report] of reports.entries()) {
  while (at === reports.length - 1 && until !== undefined && !existsSync(until)) await wait(20);
  if (at === reports.length - 1 && held !== undefined) await upload(held);
  if (at === reports.length - 1 && story !== undefined) await send('POST', '/story', story);
  if (at === reports.length - 1 && plan !== undefined) await uploadPlan(plan);
  await send('PUT', '/report', { seq: at + 1, ...report });
}
process.exitCode = exit;

async function upload({ records, ...of }: HeldSet): Promise<void> {
  const pages = Math.max(1, Math.ceil(records.length / PAGE));
  for (let page = 0; page < pages; page++) {
    const part = records.slice(page * PAGE, (page + 1) * PAGE);
    await send('POST', '/held', { page, last: page === pages - 1, ...of, records: part });
  }
}

async function uploadPlan({ records, summary }: PlannedSet): Promise<void> {
  const pages = Math.max(1, Math.ceil(records.length / PAGE));
  for (let page = 0; page < pages; page++) {
    const last = page === pages - 1;
    const part = records.slice(page * PAGE, (page + 1) * PAGE);
    await send('POST', '/plan', { page, last, records: part, ...(last ? { summary } : {}) });
  }
}

/** @param route of the program's own job: `/report` */
async function send(method: string, route: string, body: object): Promise<void> {
  const url = (process.env['SYNCRATOR_REPORT_URL'] ?? '').replace(/\/report$/, route);
  const answer = await fetch(url, {
    method,
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${process.env['SYNCRATOR_REPORT_TOKEN'] ?? ''}`,
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  if (!answer.ok) throw new Error(`${method} ${route} was answered ${answer.status}: ${await answer.text()}`);
}
