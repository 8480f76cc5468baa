/** Sink `postgres`: puts the parts of this folder together as one sink. */

import { shownUrl } from '../../mask.ts';
import type { Sink } from '../sink.ts';
import type { PostgresSettings } from '../sink-settings.ts';
import { findRemovals, liveWatermark, remove, upsert } from './change.ts';
import { createSinkPool, inTransaction } from './connect.ts';
import { createItems } from './items.ts';
import { beginLoad, loadBatch, type Sinks, verifyLoad } from './load.ts';
import { claim, prepareState } from './state.ts';
import { compareLoad, dropLoad, rollback, switchLoad } from './switch.ts';
import { refuseForeignTable, tablesOf } from './tables.ts';

/** Connects with the first call, not before. */
export function createPostgresSink({
  settings,
  lanes,
  jobId,
}: {
  settings: PostgresSettings;
  lanes: number;
  jobId: number | null;
}): Sink {
  const pool = createSinkPool(settings.url, lanes);
  const sinks: Sinks = { pool, tables: tablesOf(settings.table), writer: { table: settings.table, jobId } };
  return {
    shownAs: shownUrl(settings.url),
    place: `table ${settings.table}`,
    async open() {
      // Apart from what follows, so that an older job still at work fails its batch instead of waiting for us.
      await inTransaction(pool, async (client) => {
        await refuseForeignTable(client, sinks.tables);
        await prepareState(client, sinks.writer);
        await claim(client, sinks.writer);
      });
    },
    liveWatermark: () => liveWatermark(sinks),
    beginLoad: (input) => beginLoad(sinks, input),
    loadBatch: (load, batch, turn) => loadBatch(sinks, load, batch, turn),
    verifyLoad: (expected) => verifyLoad(sinks, expected),
    compareLoad: () => compareLoad(sinks),
    switchLoad: (load) => switchLoad(sinks, load),
    dropLoad: (load) => dropLoad(sinks, load),
    upsert: (records, options) => upsert(sinks, records, options),
    findRemovals: (sourceIds) => findRemovals(sinks, sourceIds),
    remove: (ids, { turn }) => remove(sinks, ids, turn),
    rollback: () => rollback(sinks),
    items: createItems(sinks),
    close: () => pool.end(),
  };
}
