/**
 * Actions sync and delta of the item bank: updates all items, those that may have changed, or some by id, one by
 * one and in place. Removes nothing. A failed item is stored for a resume, which retries only failed items; only
 * a fault that concerns all items (token, page of the listing, sink) ends the run.
 */
import { skewWarning } from '../../actions/watermark.ts';
import type { ItemsCheckpoint } from '../../checkpoint.ts';
import { JobError } from '../../job-error.ts';
import { GitlabFault } from '../gitlab/gitlab-fault.ts';
import { importItem } from './import-item.ts';
import { UnfitItemError } from '../../sinks/items.ts';
import { watermarkOf } from './bank-clock.ts';
import { forEachConcurrently } from './concurrency.ts';
import { type ItemPage, type ItemToImport, pagesOf } from './pages.ts';
import type { BankContext } from './bank-context.ts';
import { type Asked, failure, type Outcome, ImportProgress } from './import-progress.ts';

export async function importItems(context: BankContext, asked: Asked): Promise<void> {
  const { bank, items, sink, progress, log, saved } = context;
  const { synced, watermark } = await sink.live();
  if (asked === 'delta' && !synced && watermark === null)
    throw new JobError('failed', 'the sink holds no completed sync; run sync first');
  const since = asked === 'delta' ? watermark : null;
  await items.prepare();
  const earlier = resumable(context, asked, since);
  const imported = new ImportProgress({ asked, since, earlier });
  const tell = (): void => progress({ ...imported.counts(), checkpoint: imported.checkpoint() });

  if (earlier && earlier.failed.length > 0) {
    tell();
    const again = earlier.failed.map(({ id }) => ({ id, project: null }));
    await importEach(context, again, (id, outcome) => imported.note(id, outcome, true));
    imported.endRetry();
    tell();
  }
  let census: ItemPage['census'] = null;
  if (!earlier || earlier.place !== null) {
    for await (const page of pagesOf(context, { asked, since, from: earlier?.place ?? null })) {
      imported.beginPage(page);
      census = page.census;
      tell();
      await importEach(context, page.items, (id, outcome) => {
        imported.note(id, outcome, false);
        progress(imported.counts());
      });
      imported.endPage(page.next);
      tell();
      // Otherwise a killed run would repeat more than one page.
      if (page.next !== null) await saved();
    }
  }
  for (const line of imported.lines()) log.info(line);
  if (census !== null) progress({ listing: census.evidence().complete ? 'complete' : 'unproven' });
  const warnings = [
    context.repaired.warning(),
    listingWarning(census),
    skewWarning(bank.gitlab.clock(), new Date()),
  ];
  for (const warning of warnings) if (warning !== null) context.warn(warning);
  if (imported.failedCount > 0) throw new JobError('itemsFailed', imported.describeFailed());
  // A run for some items by id does not move the watermark.
  if (imported.watermark !== null) imported.lowerWatermark(watermarkOf(context));
  await items.finish(imported.watermark);
  if (imported.watermark !== null) progress({ watermark: imported.watermark.toISOString() });
  progress({ checkpoint: null });
}

/** A warning about an incomplete listing: its missing projects were not checked. */
function listingWarning(census: ItemPage['census']): string | null {
  if (census === null || !census.isCounted) return null;
  const { complete, words } = census.evidence();
  return complete ? null : `the listing may lack projects, whose items were not updated: ${words}`;
}

async function importEach(
  context: BankContext,
  toImport: ItemPage['items'],
  note: (id: string, outcome: Outcome) => void,
): Promise<void> {
  const { items, options, stop, log } = context;
  const known = await items.known(toImport.map(({ id }) => id));
  await forEachConcurrently(toImport, { concurrency: options.concurrency, stop }, async (item) => {
    const outcome = await importOne(context, item, known.get(item.id));
    note(item.id, outcome);
    if (typeof outcome !== 'string') log.info(`item ${item.id} failed: ${outcome.why}`);
    else if (outcome !== 'unchanged') log.debug(`item ${item.id}: ${outcome}`);
  });
}

/** @throws errors that end the run; faults of the item are returned */
async function importOne(
  { bank }: BankContext,
  { id, project }: ItemToImport,
  known: Parameters<typeof importItem>[2],
): Promise<Outcome> {
  if (bank.settings.ignore.has(id)) return 'ignored';
  try {
    const found = project ?? (await bank.gitlab.project(id));
    return found === null ? 'gone' : await importItem(bank, found, known);
  } catch (error) {
    if (error instanceof GitlabFault && error.endsRun) throw error.asJobError();
    if (error instanceof GitlabFault || error instanceof UnfitItemError) return failure(id, error.message);
    throw error;
  }
}

/** The checkpoint of an earlier attempt for the same request; else null. */
function resumable(
  { checkpoint, log }: BankContext,
  asked: Asked,
  since: Date | null,
): ItemsCheckpoint | null {
  if (checkpoint?.action !== 'items' || checkpoint.asked !== asked) return null;
  if (checkpoint.since !== (since?.toISOString() ?? null)) return null;
  const { failed, place, done } = checkpoint;
  log.info(
    `resuming after ${done} items: retrying ${failed.length} failed ones${place ? ', then the rest' : ' only'}`,
  );
  return checkpoint;
}
