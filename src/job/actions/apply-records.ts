/** Applies the records of a sync or delta and moves the watermark, by the same rule for both. */
import type { Applied, Load } from '../sinks/sink.ts';
import type { ActionContext } from './action.ts';
import { applyLoad } from './apply-load.ts';
import { doubtOfChanges } from './evidence.ts';
import type { Listed } from './load-listing.ts';
import { skewWarning, watermarkAfter } from './watermark.ts';

export type RecordsApplied = {
  readonly applied: Applied;
  readonly watermark: Date | null | 'keep';
  readonly warnings: readonly (string | null)[];
};

/**
 * @param of.runBegan when this run began to read, by our clock
 * @param of.sourceState where the source goes on
 * @param of.proven true if the full listing was proven complete; false for a delta, which lists a part
 */
export async function applyRecords(
  context: ActionContext,
  load: Load,
  of: { listed: Listed; runBegan: Date; coarseTimes: boolean; proven: boolean; sourceState?: string | null },
): Promise<RecordsApplied> {
  const { source, limits, watermarkMarginMs: marginMs, progress } = context;
  const { listed, runBegan, coarseTimes, proven, sourceState = null } = of;
  const clock = source.clock();
  const reached = watermarkAfter({
    lists: source.lists,
    began: load.began,
    runBegan,
    clock,
    newest: listed.newest,
    marginMs,
    coarseTimes,
  });
  const doubt = load.mode === 'changes' && reached !== null ? await doubtOfChanges(source, listed) : null;
  // Behind a moved watermark nobody would look for a change that this listing lacks.
  const watermark = doubt === null ? reached : 'keep';
  const { applied, unusual } = await applyLoad(context, load, {
    // A delta removes what the source says it has deleted, and nothing that its listing lacks.
    mayRemove: proven || load.mode === 'changes',
    mayReject: limits.maxRejected - listed.rejected.length,
    watermark,
    sourceState,
    coarseTimes,
    stamped: source.stamps ?? false,
    proven,
  });
  if (watermark !== 'keep') progress({ watermark: watermark?.toISOString() ?? null });
  const stays = doubt === null ? null : stayingWatermark(doubt);
  return { applied, watermark, warnings: [skewWarning(clock, new Date()), stays, ...unusual] };
}

function stayingWatermark(doubt: string): string {
  return `the list of changes is not proven complete: ${doubt}; the watermark stays, so that the next delta reads these changes again (a sync moves it)`;
}
