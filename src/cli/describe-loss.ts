/** Describes one loss for people: its facts, its records, and the commands that answer it. */
import type { LossJson, LossRecordJson } from '../client/client.ts';
import { records } from '../client/data-format.ts';
import { ago } from '../client/format.ts';
import { approvalWords, contentOf, dayOf, lossWords, needsAnswer, shareOf } from '../client/loss-format.ts';
import { type Cell, fieldsOf, tableOf } from '../terminal/output.ts';
import type { Server } from './remote.ts';

/** The records shown beside the facts. */
const FIRST = 10;
/** Columns of a terminal of unknown width. */
const COLUMNS = 100;
const LEAST_CONTENT = 30;

export async function firstRecords(server: Server, id: number): Promise<readonly LossRecordJson[]> {
  return (await server.call((api) => api.lossRecords(id, { limit: FIRST }))).records;
}

/** With the commands that look on and answer. */
export function describeLoss(loss: LossJson, first: readonly LossRecordJson[]): string {
  const { id, digest } = loss;
  const words = factsAndRecords(loss, first);
  if (!needsAnswer(loss)) return words;
  return `${words}

To look on: syncrator losses records ${id} --id <part>
To keep:    syncrator losses keep ${id} <record…> --reason <words>
To remove:  syncrator losses approve ${id} --digest ${digest} --reason <words>`;
}

export function factsAndRecords(loss: LossJson, first: readonly LossRecordJson[]): string {
  const facts = factsOf(loss);
  if (first.length === 0) return facts;
  return [facts, '', `${first.length} of ${records(loss.count + loss.pinned)}:`, recordsTable(first)].join(
    '\n',
  );
}

const WHY: Readonly<Record<LossJson['reason'], string>> = {
  over_threshold: 'a job would have removed more than its limits allow; it held these removals',
  anomaly: 'a job would have removed more than earlier jobs of the target did; it held these removals',
};

function factsOf(loss: LossJson): string {
  const { job_id: job, started_by: by, approvals, pinned, removal_job_id: removal, resolved_at: end } = loss;
  return fieldsOf({
    set: `${loss.id}: ${lossWords(loss)}`,
    share: shareOf(loss.count, loss.live),
    why: WHY[loss.reason],
    'held by': `a job of ${by}`,
    'told by': `job ${job}`,
    kept: pinned === 0 ? null : `${records(pinned)}, by an answer`,
    since: `${loss.born_at}, ${ago(loss.born_at)}`,
    changed: loss.changed_at === loss.born_at ? null : `${loss.changed_at}, ${ago(loss.changed_at)}`,
    answer: dueCell(loss),
    approvals: [
      approvalWords(loss),
      ...approvals.map(({ by: who, at, reason }) => `${who}, ${ago(at)}: ${reason}`),
    ].join('\n'),
    'removed by': removal === null ? null : `job ${removal}`,
    resolved: end,
    digest: loss.digest,
  });
}

/** When somebody should have answered. Nothing happens then but reminders. */
export function dueCell(loss: LossJson): Cell {
  const { status, overdue, expires_at: until } = loss;
  if (status === 'resolved') return { text: 'resolved', look: 'green' };
  if (!needsAnswer(loss)) return 'all kept for now';
  return overdue ? { text: `overdue since ${dayOf(until)}`, look: 'red' } : `by ${dayOf(until)}`;
}

export function recordsTable(list: readonly LossRecordJson[]): string {
  const rows = list.map((record) => [
    record.id,
    record.last_seen === null ? 'unknown' : ago(record.last_seen),
    ago(record.missing_since),
    record.pinned_until === null ? '' : dayOf(record.pinned_until),
    contentOf(record),
  ]);
  const heads = ['RECORD', 'LAST SEEN', 'MISSING SINCE', 'KEPT UNTIL', 'LIVE CONTENT'];
  const before = heads
    .slice(0, -1)
    .map((head, at) => Math.max(head.length, ...rows.map((row) => (row[at] ?? '').length)) + 2)
    .reduce((sum, width) => sum + width, 0);
  const width = Math.max(LEAST_CONTENT, (process.stdout.columns ?? COLUMNS) - before);
  const cut = rows.map((row) => row.map((text, at) => (at === heads.length - 1 ? short(text, width) : text)));
  return tableOf(heads, cut, 'no record matches');
}

function short(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
