/** Action delta: writes what changed in the source since the live data's watermark. */

import { JobError } from '../job-error.ts';
import { withLast, writeInOrder } from '../write-in-order.ts';
import { type ActionContext, watermarkAt } from './action.ts';

export async function delta(context: ActionContext): Promise<void> {
  const { source, sink, options, progress, log, stop } = context;
  const since = await sink.liveWatermark();
  if (since === null) throw new JobError('failed', 'nothing is live to bring up to date; run sync first');
  const { now, total } = await source.survey(since);
  const earlier = resumable(context, since, total);
  const watermark = earlier ? new Date(earlier.watermark) : watermarkAt(now);
  let counts = { done: earlier?.done ?? 0, added: 0, updated: 0 };
  progress({ phase: 'writing', records_done: counts.done, records_total: total });
  log.info(`changed since ${since.toISOString()}: ${total ?? 'an unknown number of'} records`);

  let stored = false;
  await writeInOrder({
    batches: withLast(
      source.changedSince(
        since,
        earlier ? { after: earlier.cursor, done: earlier.done } : null,
        options.batchSize,
      ),
    ),
    lanes: options.lanes,
    stop,
    write: async ({ item: { records, cursor }, last }, turn) => {
      const { added, updated } = await sink.upsert(records, { watermark: last ? watermark : null, turn });
      stored ||= last;
      counts = { done: cursor.done, added: counts.added + added, updated: counts.updated + updated };
      progress({
        records_done: counts.done,
        added: counts.added,
        updated: counts.updated,
        checkpoint: {
          action: 'delta',
          since: since.toISOString(),
          watermark: watermark.toISOString(),
          cursor: cursor.after,
          done: cursor.done,
          total,
        },
      });
    },
  });
  if (!stored) await sink.upsert([], { watermark, turn: Promise.resolve() });
  progress({ added: counts.added, updated: counts.updated, checkpoint: null });
  const unchanged = counts.done - (earlier?.done ?? 0) - counts.added - counts.updated;
  log.info(
    `delta written: ${counts.added} added, ${counts.updated} updated, ${unchanged} were the same already`,
  );
}

/** An earlier attempt's place, if it started from the same watermark and the source still lists as many. */
function resumable({ checkpoint, log }: ActionContext, since: Date, total: number | null) {
  if (checkpoint?.action !== 'delta') return null;
  if (checkpoint.since !== since.toISOString() || checkpoint.total !== total) return null;
  log.info(`resuming after ${checkpoint.done} records`);
  return checkpoint;
}
