/** Prepares a restored database: skips the ids given out since the backup, and ends all logins. */
import { sql } from 'kysely';
import { audit } from '../access/audit.ts';
import type { Db } from '../schema.ts';

/** More ids than any installation gives out between two backups. */
const AHEAD = 100_000;
/** Each observation of a running job draws one version: some 80,000 a day per job. Far below 2^53, JavaScript's limit. */
const VERSIONS_AHEAD = 2 ** 40;

/**
 * No id may be given out again: a sink refuses data of a job older than the newest it has seen, a listener a
 * version older than its own, a receiver the id of a notice that it knows. Safe to repeat.
 * @returns the id of the next job, at least
 */
export async function skipIds(db: Db, principal: string): Promise<number> {
  return await db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ name: string; next: number }>`
      SELECT sequencename AS name, setval(format('%I.%I', schemaname, sequencename)::regclass,
        coalesce(last_value, 0)
          + CASE sequencename WHEN 'job_versions' THEN ${VERSIONS_AHEAD}::bigint ELSE ${AHEAD}::bigint END) + 1 AS next
      FROM pg_sequences WHERE schemaname = current_schema()`.execute(tx);
    // Passwords may have been changed and users disabled since the backup: a login from after it may be anybody's.
    await sql`UPDATE users SET logins_ended_at = clock_timestamp()`.execute(tx);
    await audit(tx, { principal, verb: 'restored', object: 'database' });
    const next = rows.find(({ name }) => name === 'jobs_id_seq')?.next;
    if (next === undefined) throw new Error('the database has no sequence of jobs');
    return next;
  });
}
