/** Where a job's story goes on from: the trace of the call that asked for it. And how lines of the audit go, by age alone. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // All at once and first, in the order in which they are worked with: it never holds one while it waits for another.
  `LOCK TABLE wanted, jobs, audit IN ACCESS EXCLUSIVE MODE`,
  // W3C Trace Context. Null of jobs older than this, and of what nobody called for.
  `ALTER TABLE jobs ADD COLUMN traceparent text`,
  `ALTER TABLE wanted ADD COLUMN traceparent text`,

  // A transaction says up to when it purges; by row, so that a purge that finds nothing is none.
  `CREATE OR REPLACE FUNCTION audit_kept() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     IF TG_OP = 'DELETE' THEN
       IF OLD.at < nullif(current_setting('syncrator.audit_purged_before', true), '')::timestamptz THEN
         RETURN OLD;
       END IF;
     END IF;
     RAISE EXCEPTION 'the audit only grows: % is refused', TG_OP USING ERRCODE = 'check_violation';
   END $$`,
  `DROP TRIGGER audit_only_grows ON audit`,
  `CREATE TRIGGER audit_only_grows BEFORE UPDATE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_kept()`,
  `CREATE TRIGGER audit_goes_by_age BEFORE DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_kept()`,
];
