/**
 * Actions sync and delta of the item bank: every item, those that may have changed, or some by name, brought to their
 * latest revision one by one, in place. Nothing is removed here. An item that fails is kept for a resume, which does
 * the failed ones alone; only a fault of all (the token, a page of the listing, the sink) ends the run.
 */

import type { ItemsCheckpoint } from '../checkpoint.ts';
import { JobError } from '../job-error.ts';
import { GitlabFault } from '../sources/gitlab/gitlab-fault.ts';
import { bringItem } from './bring-item.ts';
import { UnfitItemError } from '../sinks/items.ts';
import { inLanes } from './lanes.ts';
import { type ItemPage, type ItemToBring, pagesOf } from './pages.ts';
import type { BankContext } from './run-item-bank.ts';
import { type Asked, failure, type Outcome, Tally } from './tally.ts';

export async function bringUpToDate(context: BankContext, asked: Asked): Promise<void> {
  const { items, sink, progress, log, saved } = context;
  const since = asked === 'delta' ? await sink.liveWatermark() : null;
  if (asked === 'delta' && since === null) {
    throw new JobError('failed', 'no sync has been completed to go on from; run sync first');
  }
  await items.prepare();
  const earlier = resumable(context, asked, since);
  const tally = new Tally({ asked, since, earlier });
  const tell = (): void => progress({ ...tally.counts(), checkpoint: tally.checkpoint() });

  if (earlier && earlier.failed.length > 0) {
    tell();
    const again = earlier.failed.map(({ id }) => ({ id, project: null }));
    await bringEach(context, again, (id, outcome) => tally.note(id, outcome, true));
    tally.endRetry();
    tell();
  }
  if (!earlier || earlier.place !== null) {
    for await (const page of pagesOf(context, { asked, since, from: earlier?.place ?? null })) {
      tally.beginPage(page);
      tell();
      await bringEach(context, page.items, (id, outcome) => {
        tally.note(id, outcome, false);
        progress(tally.counts());
      });
      tally.endPage(page.next);
      tell();
      // A run that is killed would otherwise do more than a page again.
      if (page.next !== null) await saved();
    }
  }
  for (const line of tally.lines()) log.info(line);
  if (tally.failedCount > 0) throw new JobError('itemsFailed', tally.describeFailed());
  if (tally.watermark !== null) await items.moveWatermark(tally.watermark);
  progress({ checkpoint: null });
}

async function bringEach(
  context: BankContext,
  toBring: ItemPage['items'],
  note: (id: string, outcome: Outcome) => void,
): Promise<void> {
  const { items, options, stop, log } = context;
  const known = await items.known(toBring.map(({ id }) => id));
  await inLanes(toBring, { lanes: options.lanes, stop }, async (item) => {
    const outcome = await bringOne(context, item, known.get(item.id));
    note(item.id, outcome);
    if (typeof outcome !== 'string') log.info(`item ${item.id} failed: ${outcome.why}`);
    else if (outcome !== 'unchanged') log.debug(`item ${item.id}: ${outcome}`);
  });
}

/** @throws what is the end of the run, and no item's fault */
async function bringOne(
  { bank }: BankContext,
  { id, project }: ItemToBring,
  known: Parameters<typeof bringItem>[2],
): Promise<Outcome> {
  if (bank.settings.ignore.has(id)) return 'ignored';
  try {
    const found = project ?? (await bank.gitlab.project(id));
    return found === null ? 'gone' : await bringItem(bank, found, known);
  } catch (error) {
    if (error instanceof GitlabFault && error.kind === 'unauthorized') throw error.asJobError();
    if (error instanceof GitlabFault || error instanceof UnfitItemError) return failure(id, error.message);
    throw error;
  }
}

/** What an earlier attempt left, if it was about the same. */
function resumable(
  { checkpoint, log }: BankContext,
  asked: Asked,
  since: Date | null,
): ItemsCheckpoint | null {
  if (checkpoint?.action !== 'items' || checkpoint.asked !== asked) return null;
  if (checkpoint.since !== (since?.toISOString() ?? null)) return null;
  const { failed, place, done } = checkpoint;
  log.info(
    `resuming after ${done} items: ${failed.length} failed ones${place ? ', then the rest' : ' alone'}`,
  );
  return checkpoint;
}
