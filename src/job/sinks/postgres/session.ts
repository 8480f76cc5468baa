/**
 * The session of one run with a sink: pool, table names, sink row and change set; and its transactions with
 * retries.
 */
import type { Pool, PoolClient } from 'pg';
import { JobError, reasonOf } from '../../job-error.ts';
import { asSinkError, Collided, isRefusal, passingFault, sqlState } from './sink-fault.ts';
import { READ_COMMITTED, WRITING, inTransaction } from './connect.ts';
import { checkFence, type SinkRow } from './fence.ts';
import type { ColumnSettings } from '../../columns/columns-settings.ts';
import type { LiveTable } from './live-table.ts';
import type { Places } from './places.ts';
import type { Writer } from '../writer.ts';
import { waitFor } from '../../wait.ts';

export type SinkOptions = {
  readonly acceptAllTables: boolean;
  readonly allowCascade: boolean;
  /** Milliseconds. */
  readonly keepChangesMs: number;
  /** null: twice the live table. */
  readonly keepChangesBytes: number | null;
  /** How long to wait for an unreachable, read-only or locked database, in milliseconds. */
  readonly patienceMs: number;
  /** The columns that the live table shall have. */
  readonly columns: ColumnSettings;
};

export type Connection = {
  readonly pool: Pool;
  readonly places: Places;
  readonly writer: Writer;
  readonly options: SinkOptions;
  readonly stop: AbortSignal;
  /** Called with the reason for waiting; with null once the run continues. */
  readonly onWait: (words: string | null) => void;
  readonly log: (line: string) => void;
};

/** A connection after `open`. */
export type Session = Connection & {
  readonly sinkId: number;
  readonly changeSet: string;
  readonly table: LiveTable;
};

const MOST_COLLISIONS = 10;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Retries a transaction: up to ten times after collisions with other sessions, and for up to `patienceMs` while
 * the database is unreachable, read-only or locked. `attempt` must be safe to repeat after a COMMIT whose answer
 * was lost.
 *
 * @throws JobError
 */
export async function retryTransaction<T>(connection: Connection, attempt: () => Promise<T>): Promise<T> {
  const { options, stop, onWait } = connection;
  let waitedSince: number | null = null;
  for (let collisions = 0, failures = 0; ; ) {
    try {
      const result = await attempt();
      if (waitedSince !== null) onWait(null);
      return result;
    } catch (error) {
      stop.throwIfAborted();
      const fault = passingFault(error);
      if (fault === null) throw asSinkError(error);
      if (fault === 'collision') {
        collisions += 1;
        if (collisions === MOST_COLLISIONS) throw busy(error);
      } else {
        waitedSince ??= Date.now();
        onWait(`the sink: ${reasonOf(asSinkError(error))}`);
        if (Date.now() - waitedSince >= options.patienceMs) throw asSinkError(error);
      }
      failures += 1;
      await waitFor(Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS), stop);
    }
  }
}

/**
 * Runs a transaction that changes live data; checks the fence first.
 *
 * @param last runs once no constraint waits any more, right before COMMIT
 */
export async function inWriteTransaction<T>(
  session: Session,
  work: (client: PoolClient, sink: SinkRow) => Promise<T>,
  last?: (client: PoolClient, result: T) => Promise<void>,
): Promise<T> {
  const { pool, places, sinkId, writer } = session;
  let immediately = false;
  return await retryTransaction(session, () =>
    inTransaction(pool, WRITING, async (client) => {
      const pid = await readPid(client);
      const watch = watchForBlockers(session, pid);
      const cancel = cancelOnStop(session, pid);
      try {
        const sink = await checkFence(client, places, { sinkId, run: writer.run });
        if (immediately) await checkConstraints(client);
        const result = await work(client, sink);
        // Deferred constraints fail here instead of at COMMIT. The error names no record; the retry, with immediate
        // constraints, finds it.
        await checkConstraints(client).catch((error: unknown) => {
          if (immediately || !isRefusal(error)) throw error;
          immediately = true;
          throw new Collided(error);
        });
        await last?.(client, result);
        return result;
      } catch (error) {
        throw watch.named(error);
      } finally {
        watch.stop();
        cancel.stop();
      }
    }),
  );
}

/** Cancels the running statement on a stop; a COMMIT in progress still completes. */
function cancelOnStop({ pool, stop, log }: Session, pid: number): { stop: () => void } {
  const cancel = (): void => {
    pool
      .query('SELECT pg_cancel_backend($1)', [pid])
      .catch((error: unknown) => log(`cannot cancel the running statement: ${reasonOf(error)}`));
  };
  stop.addEventListener('abort', cancel, { once: true });
  return { stop: () => stop.removeEventListener('abort', cancel) };
}

/** Reads the pid from the server: behind a pooler the driver knows another number. */
async function readPid(client: PoolClient): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const [first] = rows;
  if (!first) throw new Error('pg_backend_pid() returned no row');
  return first.pid;
}

async function checkConstraints(client: PoolClient): Promise<void> {
  await client.query('SET CONSTRAINTS ALL IMMEDIATE');
}

/** Runs a transaction that reads, or that changes only our own tables. */
export async function inStateTransaction<T>(
  connection: Connection,
  work: (client: PoolClient) => Promise<T>,
  begin = READ_COMMITTED,
): Promise<T> {
  return await retryTransaction(connection, () => inTransaction(connection.pool, begin, work));
}

const WATCH_EVERY_MS = 2_000;
const LOCKED = new Set(['55P03', '40P01']);

/** Polls, on another connection, for sessions that block ours, and reports them through `onWait`. */
function watchForBlockers(
  session: Session,
  pid: number,
): { stop: () => void; named: (error: unknown) => unknown } {
  let blockers: string | null = null;
  const look = async (): Promise<void> => {
    const { rows } = await session.pool.query<{ who: string | null }>(BLOCKERS, [pid]);
    const who = rows[0]?.who ?? null;
    if (who !== null) session.onWait(`the sink: ${who} locks rows that this run must write`);
    else if (blockers !== null) session.onWait(null);
    if (who !== null) blockers = who;
  };
  // Ignores failed polls: the waiting statement has its own time-out.
  const timer = setInterval(() => void look().catch(() => {}), WATCH_EVERY_MS);
  return {
    stop: () => clearInterval(timer),
    named(error) {
      if (blockers === null || !LOCKED.has(sqlState(error) ?? '')) return error;
      const words = `sink: ${blockers} locks rows that this run must write (${reasonOf(error)}); end that session or wait for it`;
      return new JobError('sinkBusy', words, { cause: error instanceof JobError ? error.cause : error });
    },
  };
}

const BLOCKERS = `
  SELECT string_agg(format('session %s (%s, %s)', pid, coalesce(nullif(application_name, ''), 'no name'), usename), ', ') AS who
  FROM pg_stat_activity WHERE pid = ANY (pg_blocking_pids($1))`;

function busy(error: unknown): JobError {
  const words = `sink: other sessions keep changing the same records (${reasonOf(error)}); stop them or run the job at a quieter time`;
  return new JobError('sinkBusy', words, { cause: error });
}
