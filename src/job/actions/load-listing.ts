/** Loads a listing into the sink, beside the live data, batch by batch until the source has listed everything. */
import type { LoadCheckpoint } from '../checkpoint.ts';
import { TooManyRejected } from '../rejected.ts';
import type { Load, LoadBatch } from '../sinks/sink.ts';
import type { Cursor, IdBatch, RejectedRecord, SourceBatch } from '../sources/source.ts';
import { writeInOrder } from '../write-in-order.ts';
import type { ActionContext } from './action.ts';
import { TimesOfDay } from './watermark.ts';

export type Listed = {
  /** Records in the load, including those of earlier attempts. */
  readonly count: number;
  readonly rejected: readonly RejectedRecord[];
  /** The latest `updated_at` that this run read. */
  readonly newest: Date | null;
  readonly coarseTimes: boolean;
};

type Context = Pick<ActionContext, 'sink' | 'options' | 'limits' | 'progress' | 'stop'>;

/** @param of.read starts the listing after a cursor @throws TooManyRejected and the errors of the source */
export async function loadListing(
  context: Context,
  load: Load,
  of: {
    read: (from: Cursor | null, batchSize: number) => AsyncIterable<SourceBatch | IdBatch>;
    total: number | null;
    since: Date | null;
    mapping?: string | undefined;
  },
): Promise<Listed> {
  const { sink, options, limits, progress, stop } = context;
  const from = load.cursor === null ? null : { after: load.cursor, done: load.done };
  const batchSize = Math.max(options.batchSize, sink.leastBatch);
  const become =
    sink.writesAtOnce === load.mode
      ? 'the records read so far are written, and the watermark stays'
      : undefined;
  const summary = new ListingSummary(limits.maxRejected, become);
  let cursor = load.cursor;
  await writeInOrder({
    batches: of.read(from, batchSize),
    concurrency: options.concurrency,
    stop,
    write: async (batch, turn) => {
      summary.add(batch);
      const loaded: LoadBatch = { ...contentOf(batch, load), from: cursor, to: batch.cursor.after };
      cursor = batch.cursor.after;
      await sink.loadBatch(load, loaded, turn);
      progress({
        records_done: batch.cursor.done,
        failed: summary.rejected.length,
        // No checkpoint after a rejection: a resume would not know of it and might take the listing for complete.
        checkpoint: summary.rejected.length > 0 ? null : checkpointOf(load, of),
      });
    },
  });
  summary.check();
  return { ...summary.listed(), count: load.done + summary.count };
}

function checkpointOf(
  load: Load,
  of: { since: Date | null; total: number | null; mapping?: string | undefined },
): LoadCheckpoint {
  const { since, total, mapping: fields } = of;
  const began = since?.toISOString() ?? null;
  const unfinished = { action: 'load' as const, mode: load.mode, load_id: load.id, since: began, total };
  return fields === undefined ? unfinished : { ...unfinished, fields };
}

function contentOf(
  batch: SourceBatch | IdBatch,
  { mode }: Pick<Load, 'mode'>,
): Pick<LoadBatch, 'records' | 'listed' | 'gone'> {
  // A record that is set aside still counts as listed: the live record of its id stays.
  const setAside = batch.rejected.flatMap(({ id }) => (id === null ? [] : [id]));
  if ('ids' in batch) return { records: [], listed: [...batch.ids, ...setAside] };
  const { records, gone } = batch;
  // A listing of everything tells a deletion by what it lacks.
  return { records, listed: setAside, ...(gone && mode === 'changes' && { gone }) };
}

/** Counts the records of a run, collects rejected ones, and tracks their times. */
class ListingSummary {
  count = 0;
  readonly rejected: RejectedRecord[] = [];
  readonly #maxRejected: number;
  readonly #become: string | undefined;
  readonly #times = new TimesOfDay();
  #newest = Number.NEGATIVE_INFINITY;

  /** @param become effect on the good records, for the error about too many bad ones */
  constructor(maxRejected: number, become: string | undefined) {
    this.#maxRejected = maxRejected;
    this.#become = become;
  }

  add(batch: SourceBatch | IdBatch): void {
    const gone = 'ids' in batch ? 0 : (batch.gone?.length ?? 0);
    this.count += ('ids' in batch ? batch.ids : batch.records).length + batch.rejected.length + gone;
    this.rejected.push(...batch.rejected);
    // Reads on beyond the limit, so that the error names more records to fix at once.
    if (this.rejected.length >= TooManyRejected.MOST_TOLD) this.check();
    if ('ids' in batch) return;
    for (const { updated_at: at } of batch.records) {
      const time = Date.parse(at);
      this.#times.add(time);
      if (time > this.#newest) this.#newest = time;
    }
  }

  check(): void {
    if (this.rejected.length > this.#maxRejected)
      throw new TooManyRejected(this.rejected, this.#maxRejected, this.#become);
  }

  listed(): Omit<Listed, 'count'> {
    return {
      rejected: this.rejected,
      newest: Number.isFinite(this.#newest) ? new Date(this.#newest) : null,
      coarseTimes: this.#times.areCoarse,
    };
  }
}
