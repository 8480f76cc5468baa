/** Action delete: removes the records that a listing proven complete no longer has. */
import { IncompleteListingError, JobError } from '../job-error.ts';
import type { Source } from '../sources/source.ts';
import type { ActionContext } from './action.ts';
import { applyLoad, droppingUnusableLoad } from './apply-load.ts';
import { evidenceOf } from './evidence.ts';
import { loadListing } from './load-listing.ts';
import { reportApplied } from './report-applied.ts';

/** The context with the part of a source that delete needs. */
export type DeleteContext = Omit<ActionContext, 'source'> & {
  readonly source: Pick<Source, 'ids' | 'evidence' | 'stillThere'>;
};

export async function deleteGone(context: DeleteContext): Promise<void> {
  const { source, sink, partOfDiff, progress, log } = context;
  const live = await sink.live();
  if (!live.synced || live.empty)
    throw new JobError('failed', 'the sink holds no synchronised records; run sync first');
  const load = await sink.beginLoad({ mode: 'ids', since: null, began: new Date(), resume: null });
  progress({ phase: 'listing' });

  await droppingUnusableLoad(context, load, async () => {
    const listed = await loadListing(context, load, {
      read: (_, size) => source.ids(size),
      total: null,
      since: null,
    });
    log.info(`the source lists ${listed.count} ids`);
    const evidence = await evidenceOf(source, listed, live);
    if (!evidence.complete && !partOfDiff) {
      throw new IncompleteListingError(
        `nothing was removed, since the listing is not proven complete: ${evidence.words}`,
      );
    }
    const { applied, unusual } = await applyLoad(context, load, {
      mayRemove: evidence.complete,
      mayReject: 0,
      watermark: 'keep',
      coarseTimes: live.coarseTimes,
      proven: evidence.complete,
    });
    progress({ listing: evidence.complete ? 'complete' : 'unproven' });
    const warning = evidence.complete
      ? null
      : `nothing was removed, since the listing is not proven complete: ${evidence.words}`;
    reportApplied(context, applied, { rejected: listed.rejected, warnings: [warning, ...unusual] });
  });
}
