/** Sink `postgres`: composes the parts of this folder. */
import type { JobArguments } from '../../arguments.ts';
import { RECORD_ALONE } from '../../columns/columns-settings.ts';
import { endConnections } from '../../postgres-end.ts';
import { shownUrl } from '../../mask.ts';
import {
  type Applied,
  type ApplyPlan,
  type ApplyResult,
  type LiveState,
  type Load,
  NOTHING_APPLIED,
  type RollbackTo,
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
import { inspectLiveTable, type LiveTable } from './live-table.ts';
import { lookAtPostgres } from './look.ts';
import { refuseMigration } from './migrate.ts';
import { openPostgres } from './open.ts';
import { placesOf } from './places.ts';
import { createPlans } from './plans.ts';
import { rollBack } from './rollback.ts';
import { previewRollback } from './rollback-effect.ts';
import { type Connection, inStateTransaction, type Session, inWriteTransaction } from './session.ts';
import { readSourceState } from './source-states.ts';
import { beginLoad, dropLeftovers, dropStaging, loadBatch } from './staging.ts';
import { readStory } from './story.ts';
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
  const plans = createPlans(session);
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
    apply: (load, plan) => (writer.plans ? plans.make(load, plan) : applyAndTidy(session(), load, plan)),
    dropLoad: (load) => dropStaging(session(), load.id),
    previewRollback: async (to) => await previewRollback(connection, await readableTable(connection), to),
    rollback: (to) => rollBackAndTidy(session(), to),
    takeOver: () => beginAnew(session()),
    items: createItems(session, (table) => (opened = { ...session(), table })),
    held: createHeldRecords(session),
    plans,
    forget: (ids) => forgetRecords(session(), ids),
    story: async (id) => await readStory(connection, await readableTable(connection), id),
    earlierRuns: () => readEarlierRuns(session()),
    sourceState: () => readSourceState(session()),
    close: () => endConnections(connection.pool),
  };
}

/** The live table for an action that does not open the sink. @throws JobError if its columns must change first */
async function readableTable(connection: Connection): Promise<LiveTable> {
  const { places, options } = connection;
  const table = await inStateTransaction(connection, (client) =>
    inspectLiveTable(client, places, options.columns),
  );
  refuseMigration(places, table);
  return table;
}

async function applyAndTidy(session: Session, load: Load, plan: ApplyPlan): Promise<ApplyResult> {
  const result = await applyLoad(session, load, plan);
  if (result.kind === 'applied') {
    await dropLeftovers(session);
    await purgeHistory(session);
  }
  return result;
}

async function rollBackAndTidy(session: Session, to: RollbackTo): Promise<Applied> {
  const applied = await rollBack(session, to);
  await dropLeftovers(session);
  return applied;
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
  await dropLeftovers(session);
}
