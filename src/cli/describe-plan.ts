/** Describes one plan for people: its facts, its records, and the commands that look on and apply it. */
import type { PlanJson, PlanRecordJson } from '../client/client.ts';
import { keptWords } from '../client/data-format.ts';
import { ago } from '../client/format.ts';
import {
  contentWords,
  countWords,
  KIND_WORDS,
  partWords,
  planWords,
  whyNotApply,
} from '../client/plan-format.ts';
import { PLAN_KINDS, type PlanKind } from '../domain/change-plan.ts';
import { fieldsOf, tableOf } from '../terminal/output.ts';
import type { Server } from './remote.ts';

/** The records of one request for all. */
const PAGE = 100;
/** Columns of a terminal of unknown width. */
const COLUMNS = 100;
const LEAST_CONTENT = 30;

export function describePlan(plan: PlanJson): string {
  const { id, digest, started_by: by, born_at: at, expires_at: until, watermark } = plan;
  const parts = PLAN_KINDS.flatMap((kind) => {
    const words = partWords(plan, kind);
    return words === undefined ? [] : [`${KIND_WORDS[kind].toLowerCase()}: ${words}`];
  });
  const why = whyNotApply(plan);
  const facts = fieldsOf({
    plan: `${id}: ${planWords(plan)}`,
    state: why === undefined ? { text: 'ready', look: 'green' } : { text: why, look: 'yellow' },
    changes: countWords(plan),
    records: parts.length === 0 ? null : parts.join('; '),
    kept: plan.kept === 0 ? null : keptWords(plan.kept),
    compared: `${plan.listed.toLocaleString('en')} of the source with ${plan.live.toLocaleString('en')} live`,
    'next delta': watermark === null ? 'compares everything' : `reads from ${watermark} on`,
    'asked by': by,
    made: `${at}, ${ago(at)}`,
    expires: why === undefined ? until : null,
    digest,
  });
  if (why !== undefined) return facts;
  return `${facts}

To look on: syncrator plans show ${id} --kind <kind> --id <part>
To do it:   syncrator plans apply ${id} --digest ${digest.slice(0, 16)}`;
}

export async function readRecords(
  server: Server,
  plan: number,
  { kind, id, all, limit }: { kind?: PlanKind; id?: string; all?: true; limit: number },
): Promise<{ records: readonly PlanRecordJson[]; hasMore: boolean }> {
  const records: PlanRecordJson[] = [];
  let page = await server.call((api) => api.planRecords(plan, { kind, id, limit: all ? PAGE : limit }));
  records.push(...page.records);
  while (all && page.next !== undefined) {
    const { next } = page;
    page = await server.call((api) => api.nextPlanRecords(plan, next));
    records.push(...page.records);
  }
  return { records, hasMore: page.next !== undefined };
}

const HEADS = ['RECORD', 'WHAT', 'CONTENT'];

export function recordsTable(list: readonly PlanRecordJson[]): string {
  const rows = list.map((record) => [record.id, KIND_WORDS[record.kind].toLowerCase(), contentWords(record)]);
  const before = HEADS.slice(0, -1)
    .map((head, at) => Math.max(head.length, ...rows.map((row) => (row[at] ?? '').length)) + 2)
    .reduce((sum, width) => sum + width, 0);
  const width = Math.max(LEAST_CONTENT, (process.stdout.columns ?? COLUMNS) - before);
  const cut = rows.map((row) => row.map((text, at) => (at === HEADS.length - 1 ? short(text, width) : text)));
  return tableOf(HEADS, cut, 'no record to show');
}

function short(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
