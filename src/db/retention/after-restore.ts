/** After a restore: skips the ids given out since the backup, and ends all logins. */
import { sql } from 'kysely';
import { audit } from '../access/audit.ts';
import type { Db } from '../schema.ts';

/** More than any installation gives out between two backups. */
const AHEAD = 100_000;
/** Each look at a job that runs draws one: some 80,000 a day of each. Far below 2^53, up to which JavaScript counts. */
const VERSIONS_AHEAD = 2 ** 40;

/**
 * A sink takes no data of a job older than the newest it has seen, a listener no version older than its own, a receiver
 * of notices no id twice: none of what was given out may be given out again. Safe to repeat.
 * @returns the id of the next job, at least
 */
export async function skipIds(db: Db, principal: string): Promise<number> {
  return await db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ name: string; next: number }>`
      SELECT sequencename AS name, setval(format('%I.%I', schemaname, sequencename)::regclass,
        coalesce(last_value, 0)
          + CASE sequencename WHEN 'job_versions' THEN ${VERSIONS_AHEAD}::bigint ELSE ${AHEAD}::bigint END) + 1 AS next
      FROM pg_sequences WHERE schemaname = current_schema()`.execute(tx);
    // Passwords may have been changed, and users disabled, since the backup: a login from then on is of nobody knows whom.
    await sql`UPDATE users SET logins_ended_at = clock_timestamp()`.execute(tx);
    await audit(tx, { principal, verb: 'restored', object: 'database' });
    const next = rows.find(({ name }) => name === 'jobs_id_seq')?.next;
    if (next === undefined) throw new Error('the database has no sequence of jobs');
    return next;
  });
}
