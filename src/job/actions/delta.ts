/**
 * Action delta: loads the records that changed since the watermark and applies them. Removes the records that the source
 * says it has deleted, and none that its listing lacks.
 */
import { JobError } from '../job-error.ts';
import type { LiveState } from '../sinks/sink.ts';
import type { ActionContext } from './action.ts';
import { droppingUnusableLoad } from './apply-load.ts';
import { applyRecords } from './apply-records.ts';
import { loadListing } from './load-listing.ts';
import { resumable } from './resumable.ts';
import { reportApplied } from './report-applied.ts';

export async function delta(context: ActionContext): Promise<void> {
  const { source, sink, progress, log } = context;
  const live = await sink.live();
  if (!live.synced || live.empty)
    throw new JobError('failed', 'the sink holds no synchronised records; run sync first');
  const runBegan = new Date();
  const { since, warning } = startOf(context, live, runBegan);
  const { total } = await source.survey(since);
  const load = await sink.beginLoad({
    mode: 'changes',
    since,
    began: runBegan,
    resume: resumable(context, { mode: 'changes', since, total }),
  });
  if (load.resumed) log.info(`resuming after ${load.done} records`);
  progress({ phase: 'reading', records_done: load.done, records_total: total });
  log.info(
    `${since ? `reading what changed from ${since.toISOString()} to ${load.began.toISOString()}` : 'comparing everything'}: ` +
      `${total ?? 'an unknown number of'} records`,
  );

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
    });
    reportApplied(context, applied, {
      rejected: listed.rejected,
      warnings: [warning, ...warnings],
    });
  });
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
