/** Action delete: removes what the source, completely listed, no longer has. */

import { deleteVerdict } from '../../domain/guard.ts';
import { JobError } from '../job-error.ts';
import type { Source } from '../sources/source.ts';
import { withLast, writeInOrder } from '../write-in-order.ts';
import type { ActionContext } from './action.ts';

/** All that it asks of a source. */
type DeleteContext = Omit<ActionContext, 'source'> & { readonly source: Pick<Source, 'ids'> };

export async function deleteGone(context: DeleteContext): Promise<void> {
  const { source, sink, options, maxDeletePercent, progress, log, stop } = context;
  progress({ phase: 'listing' });
  const { live, source: listed, ids } = await sink.findRemovals(counted(source.ids(), context));

  const verdict = deleteVerdict({
    live,
    source: listed,
    removals: ids.length,
    maxDeletePercent,
    force: options.forceDelete,
  });
  log.info(
    `guard: ${live} live, ${listed} in the source, ${ids.length} to remove: ${verdict.allowed ? 'allowed' : verdict.why}`,
  );
  if (!verdict.allowed) throw new JobError('deleteGuard', `nothing deleted: ${verdict.why}`);

  let deleted = 0;
  progress({ phase: 'deleting', records_done: 0, records_total: ids.length, deleted });
  await writeInOrder({
    batches: withLast(slices(ids, options.batchSize)),
    lanes: options.lanes,
    stop,
    write: async ({ item, last }, turn) => {
      const removed = await sink.remove(item, { last, turn });
      deleted += removed;
      progress({ records_done: deleted, deleted });
    },
  });
  log.info(`deleted ${deleted} records`);
}

async function* counted(
  listing: AsyncIterable<readonly string[]>,
  { progress, stop }: DeleteContext,
): AsyncGenerator<readonly string[]> {
  let count = 0;
  for await (const ids of listing) {
    stop.throwIfAborted();
    yield ids;
    count += ids.length;
    progress({ records_done: count });
  }
}

async function* slices<T>(items: readonly T[], size: number): AsyncGenerator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
