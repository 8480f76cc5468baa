/** Reports the result of a run: its counts, and warnings about a run that succeeded. */
import { asFailedItems } from '../rejected.ts';
import type { Applied, KeptReason } from '../sinks/sink.ts';
import type { RejectedRecord } from '../sources/source.ts';
import type { ActionContext } from './action.ts';

/** Up to this many changed records, a high share of changes is normal. */
const MANY = 20;
const LONGEST_WARNING = 500;
const HOUR_MS = 3_600_000;
const MOST_MARGIN_HOURS = 7 * 24;

const KEPT: Readonly<Record<Exclude<KeptReason, 'held'>, string>> = {
  no_evidence: 'missing in the listing, which was not proven complete',
  answered: 'missing in the listing or told as deleted, but the source returned them when asked by id',
  referenced: 'gone from the source, but rows of other tables refer to them',
  rolled_back: 'gone from the source, but restored by a rollback; --force-delete removes them',
  not_ours: 'gone from the source, but not written by any job; --force-delete removes them',
};

/** @param of.rejected the records that the source rejected; `applied` holds those that the sink refused */
export function reportApplied(
  { progress, log, planning = false }: Pick<ActionContext, 'progress' | 'log' | 'planning'>,
  applied: Applied,
  of: { warnings?: readonly (string | null)[]; rejected?: readonly RejectedRecord[] } = {},
): void {
  const rejected = [...(of.rejected ?? []), ...applied.rejected];
  const warnings = [
    ...(of.warnings ?? []).filter((words) => words !== null),
    ...warningsOf(applied, { rejected, planning }),
  ].map((words) => words.slice(0, LONGEST_WARNING));
  for (const words of warnings) log.info(`warning: ${words}`);
  const { added, updated, removed } = applied;
  const kept = Object.values(applied.kept).reduce((sum, count) => sum + count, 0);
  const counts = {
    added,
    updated,
    deleted: removed,
    kept,
    // An older api refuses a report with a field that it does not know.
    ...(applied.kept.held ? { held: applied.kept.held } : {}),
  };
  progress({
    // Counts of a plan are told with it: a job that changed nothing has none.
    ...(planning ? {} : counts),
    failed: rejected.length,
    checkpoint: null,
    ...(warnings.length > 0 ? { warnings } : {}),
    ...(rejected.length > 0 ? { failed_items: asFailedItems(rejected) } : {}),
  });
  const same = applied.listed - added - updated;
  log.info(
    `${planning ? 'planned' : 'applied'}: ${added} added, ${updated} updated, ${removed} removed${same > 0 ? `, ${same} unchanged` : ''}`,
  );
}

function warningsOf(
  { kept, missed, updated, live, withoutCopy }: Applied,
  { rejected, planning }: { rejected: readonly RejectedRecord[]; planning: boolean },
): string[] {
  const lines: string[] = [];
  if (kept.held) lines.push(planning ? wouldWait(kept.held) : waiting(kept.held));
  for (const reason of Object.keys(KEPT) as (keyof typeof KEPT)[]) {
    const count = kept[reason] ?? 0;
    if (count > 0) lines.push(`kept ${records(count)}: ${KEPT[reason]}`);
  }
  if (withoutCopy)
    lines.push(
      `${records(withoutCopy, 'removed')} cannot be restored by id: the sink does not return all of ${withoutCopy === 1 ? 'its' : 'their'} fields; see the log`,
    );
  if (missed && missed.count > 0) lines.push(missedByDelta(missed));
  if (updated > MANY && updated * 2 > live) {
    lines.push(
      planning
        ? `${updated} of ${live} records would change; if that is not intended, leave the plan and set MAX_UPDATE_PERCENT`
        : `${updated} of ${live} records changed; if that was not intended, roll this job back and set MAX_UPDATE_PERCENT`,
    );
  }
  if (rejected.length > 0)
    lines.push(`${records(rejected.length, 'bad')} set aside; see the failed items of the job`);
  return lines;
}

function waiting(count: number): string {
  const removals = `${count.toLocaleString('en')} ${count === 1 ? 'removal waits' : 'removals wait'}`;
  return `${removals} for an answer: syncrator losses, or --force-delete for all of them`;
}

function wouldWait(count: number): string {
  return `${count.toLocaleString('en')} ${count === 1 ? 'removal' : 'removals'} would wait for an answer`;
}

function records(count: number, kind = ''): string {
  return `${count} ${kind === '' ? '' : `${kind} `}${count === 1 ? 'record' : 'records'}`;
}

function missedByDelta({ count, latestMs }: NonNullable<Applied['missed']>): string {
  const hours = Math.ceil(latestMs / HOUR_MS);
  const advice =
    hours <= MOST_MARGIN_HOURS
      ? `raise WATERMARK_MARGIN by ${hours}h`
      : 'the source changes records without a new updated_at, so only a sync sees them';
  return `a delta would have missed ${count} of these changes: their updated_at lies up to ${hours} h before the watermark; ${advice}`;
}
