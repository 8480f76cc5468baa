/** Applies the records of a sync or delta and moves the watermark, by the same rule for both. */
import type { Applied, Load } from '../sinks/sink.ts';
import type { ActionContext } from './action.ts';
import { applyLoad } from './apply-load.ts';
import type { Listed } from './load-listing.ts';
import { skewWarning, watermarkAfter } from './watermark.ts';

/**
 * @param of.runBegan when this run began to read, by our clock
 * @param of.proven true if the full listing was proven complete; false for a delta, which removes nothing
 */
export async function applyRecords(
  context: ActionContext,
  load: Load,
  of: { listed: Listed; runBegan: Date; coarseTimes: boolean; proven: boolean },
): Promise<{ applied: Applied; watermark: Date | null | 'keep'; skew: string | null }> {
  const { source, limits, watermarkMarginMs: marginMs, progress } = context;
  const { listed, runBegan, coarseTimes, proven } = of;
  const clock = source.clock();
  const watermark = watermarkAfter({
    lists: source.lists,
    began: load.began,
    runBegan,
    clock,
    newest: listed.newest,
    marginMs,
    coarseTimes,
  });
  const applied = await applyLoad(context, load, {
    mayRemove: proven,
    mayReject: limits.maxRejected - listed.rejected.length,
    watermark,
    coarseTimes,
    stamped: source.stamps ?? false,
    proven,
  });
  if (watermark !== 'keep') progress({ watermark: watermark?.toISOString() ?? null });
  return { applied, watermark, skew: skewWarning(clock, new Date()) };
}
