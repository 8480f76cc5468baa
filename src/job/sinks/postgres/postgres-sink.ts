/** Sink `postgres`: composes the parts of this folder. */
import type { JobArguments } from '../../arguments.ts';
import { RECORD_ALONE } from '../../columns/columns-settings.ts';
import { endConnections } from '../../postgres-end.ts';
import { shownUrl } from '../../mask.ts';
import {
  type ApplyPlan,
  type ApplyResult,
  type LiveState,
  type Load,
  NOTHING_APPLIED,
  type Sink,
} from '../sink.ts';
import type { PostgresSettings } from '../sink-settings.ts';
import { applyLoad } from './apply.ts';
import { closeChangeSet } from './change-sets.ts';
import { createSinkPool } from './connect.ts';
import { readEarlierRuns } from './earlier-runs.ts';
import { findSink } from './fence.ts';
import { createHeldRecords } from './held.ts';
import { purgeHistory } from './history.ts';
import { forgetRecords } from './forget.ts';
import { createItems } from './items.ts';
import { inspectLiveTable } from './live-table.ts';
import { lookAtPostgres } from './look.ts';
import { refuseMigration } from './migrate.ts';
import { openPostgres } from './open.ts';
import { placesOf } from './places.ts';
import { rollBack } from './rollback.ts';
import { previewRollback } from './rollback-effect.ts';
import { type Connection, inStateTransaction, type Session, inWriteTransaction } from './session.ts';
import { readSourceState } from './source-states.ts';
import { beginLoad, dropStaging, loadBatch } from './staging.ts';
import type { Writer } from '../writer.ts';

const PATIENCE_MS = 60_000;
const LEAST_BATCH = 5_000;

export type PostgresSinkInput = {
  readonly settings: PostgresSettings;
  readonly concurrency: JobArguments['concurrency'];
  readonly writer: Writer;
  readonly stop: AbortSignal;
  readonly onWait: (words: string | null) => void;
  readonly log: (line: string) => void;
  /** How long to wait for an unreachable, read-only or locked database, in milliseconds. */
  readonly patienceMs?: number;
  /** Smallest batch in records; overrides a smaller `-n`. */
  readonly leastBatch?: number;
};

/** Connects on first use. */
export function createPostgresSink(input: PostgresSinkInput): Sink {
  const {
    settings,
    concurrency,
    writer,
    patienceMs = PATIENCE_MS,
    leastBatch = LEAST_BATCH,
    ...rest
  } = input;
  const places = placesOf(settings);
  const connection: Connection = {
    ...rest,
    pool: createSinkPool(settings.url, concurrency),
    places,
    writer,
    options: { ...settings, columns: settings.columns ?? RECORD_ALONE, patienceMs },
  };
  let opened: Session | undefined;
  const session = (): Session => {
    if (!opened) throw new Error('the sink is used before it is opened');
    return opened;
  };
  return {
    shownAs: shownUrl(settings.url),
    place: `table ${places.shown}`,
    leastBatch,
    writesAtOnce: null,
    async open() {
      const { session: made, done } = await openPostgres(connection, {
        takeOver: writer.action === 'take-over',
      });
      opened = made;
      return done?.counts ?? null;
    },
    live: () => readLiveState(session()),
    look: () => lookAtPostgres(connection),
    beginLoad: (input) => beginLoad(session(), input),
    loadBatch: (load, batch, turn) => loadBatch(session(), load, batch, turn),
    apply: (load, plan) => applyAndTidy(session(), load, plan),
    dropLoad: (load) => dropStaging(session(), load.id),
    async previewRollback(to) {
      const table = await inStateTransaction(connection, (client) =>
        inspectLiveTable(client, places, connection.options.columns),
      );
      refuseMigration(places, table);
      return await previewRollback(connection, table, to);
    },
    rollback: (to) => rollBack(session(), to),
    takeOver: () => beginAnew(session()),
    items: createItems(session, (table) => (opened = { ...session(), table })),
    held: createHeldRecords(session),
    forget: (ids) => forgetRecords(session(), ids),
    earlierRuns: () => readEarlierRuns(session()),
    sourceState: () => readSourceState(session()),
    close: () => endConnections(connection.pool),
  };
}

async function applyAndTidy(session: Session, load: Load, plan: ApplyPlan): Promise<ApplyResult> {
  const result = await applyLoad(session, load, plan);
  if (result.kind === 'applied') {
    await dropStaging(session, load.id);
    await purgeHistory(session);
  }
  return result;
}

async function readLiveState(session: Session): Promise<LiveState> {
  const { places, table } = session;
  return await inStateTransaction(session, async (client) => {
    const sink = await findSink(client, places, table);
    const { rows } =
      table.oid === null
        ? { rows: [{ some: false }] }
        : await client.query<{ some: boolean }>(`SELECT EXISTS (SELECT FROM ${table.quoted}) AS some`);
    return {
      synced: sink?.synced === true,
      empty: rows[0]?.some !== true,
      watermark: sink?.watermark ?? null,
      coarseTimes: sink?.coarse_times === true,
      proven: sink?.proven === true,
    };
  });
}

/** Begins a new history, so that no rollback restores data of the previous owner. */
async function beginAnew(session: Session): Promise<void> {
  const { places, changeSet } = session;
  await inWriteTransaction(session, (client, sink) =>
    closeChangeSet(client, places, {
      id: changeSet,
      applied: NOTHING_APPLIED,
      watermark: sink.watermark,
      beginsHistory: 'the table was taken over',
    }),
  );
}
