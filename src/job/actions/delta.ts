/**
 * Action delta: loads the records that changed since the watermark and applies them. Removes the records that the source
 * says it has deleted, and none that its listing lacks.
 */
import { JobError } from '../job-error.ts';
import type { LiveState, Load } from '../sinks/sink.ts';
import type { ActionContext } from './action.ts';
import { droppingUnusableLoad } from './apply-load.ts';
import { applyRecords } from './apply-records.ts';
import { type Listed, loadListing } from './load-listing.ts';
import { resumable } from './resumable.ts';
import { reportApplied } from './report-applied.ts';

export async function delta(context: ActionContext): Promise<void> {
  const { source, sink, progress, log } = context;
  const live = await sink.live();
  if (!live.synced || live.empty)
    throw new JobError('failed', 'the sink holds no synchronised records; run sync first');
  const runBegan = new Date();
  const { since, warning } = startOf(context, live, runBegan);
  const state = await beginByState(context);
  const { total } = await source.survey(since);
  const load = await sink.beginLoad({
    mode: 'changes',
    since,
    began: runBegan,
    // A second reading goes on where the first one did, and may tell other changes of the records before the cursor.
    resume: state ? null : resumable(context, { mode: 'changes', since, total }),
  });
  if (load.resumed) log.info(`resuming after ${load.done} records`);
  progress({ phase: 'reading', records_done: load.done, records_total: total });
  log.info(`${wordsOf(context, load, since)}: ${total ?? 'an unknown number of'} records`);

  await droppingUnusableLoad(context, load, async () => {
    const listed = await loadListing(context, load, {
      read: (from, size) => source.changedSince(since, from, size),
      total,
      since,
      mapping: source.mapping,
    });
    const { coarseTimes } = live;
    const { applied, warnings } = await applyRecords(context, load, {
      listed,
      runBegan,
      coarseTimes,
      proven: false,
      sourceState: state?.next(listed) ?? null,
    });
    reportApplied(context, applied, {
      rejected: listed.rejected,
      warnings: [warning, ...warnings],
    });
  });
}

/** @returns null unless the source goes on by a text of its own, and the sink can keep it */
async function beginByState({ source: { state }, sink }: ActionContext) {
  if (!state || !sink.sourceState) return null;
  const last = await sink.sourceState();
  state.begin(last);
  return {
    /** Where the next delta goes on: not behind a record that was set aside. Without news it goes on here again. */
    next({ rejected }: Pick<Listed, 'rejected'>): string | null {
      const before = state.continues() ? last : null;
      return rejected.length > 0 ? before : (state.reached() ?? before);
    },
  };
}

function wordsOf({ source }: ActionContext, { began }: Pick<Load, 'began'>, since: Date | null): string {
  if (since) return `reading what changed from ${since.toISOString()} to ${began.toISOString()}`;
  return source.state?.continues()
    ? 'reading what changed since the STATE of the last delta'
    : 'comparing everything';
}

/**
 * A watermark in the future comes from a wrong clock. Reading from it would hide changes, so everything is
 * compared.
 */
function startOf(
  { source }: ActionContext,
  { watermark }: LiveState,
  now: Date,
): { since: Date | null; warning: string | null } {
  if (source.lists === 'everything' || watermark === null) return { since: null, warning: null };
  if (watermark <= now) return { since: watermark, warning: null };
  return {
    since: null,
    warning: `the watermark ${watermark.toISOString()} lies in the future (now: ${now.toISOString()}), so all records were compared; check the clocks of the source and of this machine`,
  };
}
