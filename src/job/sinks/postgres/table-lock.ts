/**
 * Changes the definition of the live table under its exclusive lock. A session that waits for this lock makes every later
 * reader wait behind it, so each try is short, and readers go on between two tries.
 */
import type { PoolClient } from 'pg';
import { JobError } from '../../job-error.ts';
import { waitFor } from '../../wait.ts';
import type { Session } from './session.ts';
import { sqlState } from './sink-fault.ts';

const TRY_MS = 500;
/** An autovacuum gives way only to a session that has waited for `deadlock_timeout`. Beyond this one, readers would wait too long. */
const LONGEST_DEADLOCK_MS = 5_000;
const PAUSE_MS = 1_000;
const LOCK_NOT_AVAILABLE = '55P03';

/** @throws JobError `sinkBusy`, naming the sessions that use the table, after the time that a run waits for its sink */
export async function withTableLock(
  client: PoolClient,
  { table, places, options, stop, onWait }: Session,
  statements: readonly string[],
): Promise<void> {
  const until = Date.now() + options.patienceMs;
  let waited = false;
  let [tryMs, hasOutwaited] = [TRY_MS, false];
  for (;;) {
    await client.query(`SAVEPOINT definition; SET LOCAL lock_timeout = ${tryMs}`);
    try {
      await client.query(`LOCK TABLE ${table.quoted} IN ACCESS EXCLUSIVE MODE`);
      break;
    } catch (error) {
      if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
      await client.query('ROLLBACK TO SAVEPOINT definition; RELEASE SAVEPOINT definition');
    }
    const { who, deadlock_ms: deadlockMs } = await usersOf(client, table.oid);
    // Once: one against the wraparound of transaction ids does not give way at all.
    const outwaits = !hasOutwaited && deadlockMs !== null && deadlockMs <= LONGEST_DEADLOCK_MS;
    tryMs = outwaits ? deadlockMs + TRY_MS : TRY_MS;
    hasOutwaited ||= outwaits;
    if (Date.now() >= until) {
      throw new JobError(
        'sinkBusy',
        `sink: ${who ?? 'other sessions'} use ${places.shown}, whose columns are to change; end that session or run the job at a quieter time; nothing was changed`,
      );
    }
    onWait(`the sink: ${who ?? 'other sessions'} use ${places.shown}, whose columns are to change`);
    waited = true;
    await waitFor(PAUSE_MS, stop);
  }
  if (waited) onWait(null);
  for (const statement of statements) await client.query(statement);
}

type Users = {
  readonly who: string | null;
  /** `deadlock_timeout` if one of them is an autovacuum. */
  readonly deadlock_ms: number | null;
};

async function usersOf(client: PoolClient, oid: number | null): Promise<Users> {
  // An autovacuum has no role. Its backend_type is hidden from most roles.
  const { rows } = await client.query<Users>(
    `SELECT string_agg(DISTINCT format('session %s (%s, %s)', pid, coalesce(nullif(application_name, ''), 'no name'),
         coalesce(usename, 'autovacuum')), ', ') AS who,
       CASE WHEN bool_or(usesysid IS NULL)
         THEN (SELECT setting::int FROM pg_settings WHERE name = 'deadlock_timeout') END AS deadlock_ms
     FROM pg_locks JOIN pg_stat_activity USING (pid)
     WHERE relation IN (SELECT $1::oid UNION SELECT relid FROM pg_partition_tree($1)) AND granted AND locktype = 'relation'
       AND pid <> pg_backend_pid()`,
    [oid],
  );
  return rows[0] ?? { who: null, deadlock_ms: null };
}
