/** Action sync: loads all records beside the live data and applies the difference. */
import type { Applied, LiveState } from '../sinks/sink.ts';
import type { ActionContext } from './action.ts';
import { droppingUnusableLoad } from './apply-load.ts';
import { applyRecords } from './apply-records.ts';
import { evidenceOf } from './evidence.ts';
import { loadListing } from './load-listing.ts';
import { resumable } from './resumable.ts';
import { reportApplied } from './report-applied.ts';

export async function sync(context: ActionContext): Promise<void> {
  const { source, sink, progress, log } = context;
  const live = await sink.live();
  const runBegan = new Date();
  const { total } = await source.survey(null);
  const load = await sink.beginLoad({
    mode: 'everything',
    since: null,
    began: runBegan,
    resume: resumable(context, { mode: 'everything', since: null, total }),
  });
  if (load.resumed) log.info(`resuming the load after ${load.done} records`);
  progress({ phase: 'loading', records_done: load.done, records_total: total });

  await droppingUnusableLoad(context, load, async () => {
    const listed = await loadListing(context, load, {
      read: (from, size) => source.changedSince(null, from, size),
      total,
      since: null,
      mapping: source.mapping,
    });
    log.info(`loaded ${listed.count} records`);
    const evidence = await evidenceOf(source, listed, live);
    const { complete: proven } = evidence;
    const { coarseTimes } = listed;
    const { applied, watermark, warnings } = await applyRecords(context, load, {
      listed,
      runBegan,
      coarseTimes,
      proven,
    });
    progress({ listing: proven ? 'complete' : 'unproven' });
    reportApplied(context, applied, {
      rejected: listed.rejected,
      warnings: [
        ...warnings,
        proven ? null : unproven(applied, live, evidence.words),
        coarseTimes && watermark !== null ? COARSE : null,
        // A resumed run has seen a part of the records.
        ...(load.resumed ? [] : (source.remarks?.() ?? [])),
      ],
    });
  });
}

const COARSE =
  'updated_at of the records has no time of day, so a delta reads from two days before the last read; set a longer ' +
  'WATERMARK_MARGIN if records are written later than that';

function unproven({ kept }: Applied, { synced }: LiveState, words: string): string {
  const stays = synced || kept.no_evidence ? 'records that it lacks stay' : 'no record could be lost';
  return `the listing is not proven complete, so ${stays}: ${words}`;
}
