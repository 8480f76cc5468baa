/** Action sync: loads everything beside the live data, verifies it, and only then switches. */

import { deleteVerdict } from '../../domain/guard.ts';
import { IncompleteListingError, JobError, WrongLoadError } from '../job-error.ts';
import type { Comparison, Load } from '../sinks/sink.ts';
import { writeInOrder } from '../write-in-order.ts';
import { type ActionContext, watermarkAt } from './action.ts';

const SAMPLE_SIZE = 200;

export async function sync(context: ActionContext): Promise<void> {
  const { source, sink, progress, log, stop } = context;
  const { now, total } = await source.survey(null);
  const load = await sink.beginLoad({ watermark: watermarkAt(now), resume: resumable(context, total) });
  if (load.resumed) log.info(`resuming the load after ${load.done} records`);

  progress({ phase: 'loading', records_done: load.done, records_total: total });
  const { comparison, count } = await loadAndCheck(context, load, total).catch(async (error: unknown) => {
    // A load that is wrong, not merely interrupted, must not be resumed.
    if (makesLoadWorthless(error)) {
      progress({ checkpoint: null });
      await sink.dropLoad(load);
    }
    throw error;
  });

  stop.throwIfAborted();
  progress({ phase: 'switching' });
  await sink.switchLoad(load);
  const { added, updated, removed } = comparison;
  progress({ added, updated, deleted: removed, checkpoint: null });
  log.info(`switched: ${count} records live (${added} added, ${updated} updated, ${removed} gone)`);
}

async function loadAndCheck(
  context: ActionContext,
  load: Load,
  total: number | null,
): Promise<{ comparison: Comparison; count: number }> {
  const { sink, progress, log } = context;
  const loaded = await loadEverything(context, load, total);
  progress({ phase: 'verifying' });
  log.info(`loaded ${loaded.count} records; verifying`);
  await sink.verifyLoad(loaded);
  const comparison = await sink.compareLoad();
  refuseLosses(context, comparison, loaded.count);
  return { comparison, count: loaded.count };
}

/** The load phase alone: reads and writes until the source has listed everything. */
export async function loadEverything(
  {
    source,
    sink,
    options,
    progress,
    stop,
  }: Pick<ActionContext, 'source' | 'sink' | 'options' | 'progress' | 'stop'>,
  load: Load,
  total: number | null,
): Promise<{ count: number; sample: readonly string[] }> {
  const sample = newSample();
  let count = load.done;
  let cursor = load.cursor;
  const from = cursor === null ? null : { after: cursor, done: load.done };
  await writeInOrder({
    batches: source.changedSince(null, from, options.batchSize),
    lanes: options.lanes,
    stop,
    write: async ({ records, cursor: { after } }, turn) => {
      const batch = { records, from: cursor, to: after };
      cursor = after;
      const added = await sink.loadBatch(load, batch, turn);
      count += added;
      for (const { id } of records) sample.offer(id);
      progress({
        records_done: count,
        checkpoint: { action: 'sync', load_id: load.id, cursor: after, total },
      });
    },
  });
  // All of it was loaded by an attempt before this one: what the listing begins with must be there.
  if (sample.isEmpty() && count > 0)
    for await (const { records } of source.changedSince(null, null, options.batchSize)) {
      for (const { id } of records) sample.offer(id);
      break;
    }
  return { count, sample: sample.ids() };
}

/** An even choice from however many ids come (reservoir sampling: Vitter 1985, algorithm R). */
function newSample() {
  const kept: string[] = [];
  let seen = 0;
  return {
    offer(id: string): void {
      seen += 1;
      const place = kept.length < SAMPLE_SIZE ? kept.length : Math.floor(Math.random() * seen);
      if (place < SAMPLE_SIZE) kept[place] = id;
    },
    isEmpty: () => kept.length === 0,
    /** Each once, also of a source that lists one twice. */
    ids: () => [...new Set(kept)],
  };
}

function resumable({ checkpoint, log }: ActionContext, total: number | null): string | null {
  if (checkpoint?.action !== 'sync') return null;
  if (checkpoint.total === total) return checkpoint.load_id;
  log.info(`the source has ${total} records, no longer ${checkpoint.total}: loading from the start`);
  return null;
}

function refuseLosses(
  { options, maxDeletePercent, log }: ActionContext,
  { live, removed }: Comparison,
  count: number,
): void {
  const verdict = deleteVerdict({
    live,
    source: count,
    removals: removed,
    maxDeletePercent,
    force: options.forceDelete,
  });
  log.info(
    `guard: ${live} live, ${count} loaded, ${removed} would go: ${verdict.allowed ? 'allowed' : verdict.why}`,
  );
  if (!verdict.allowed) throw new JobError('deleteGuard', `not switched: ${verdict.why}`);
}

function makesLoadWorthless(error: unknown): boolean {
  if (error instanceof IncompleteListingError || error instanceof WrongLoadError) return true;
  return error instanceof JobError && error.code === 'deleteGuard';
}
