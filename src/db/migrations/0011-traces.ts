/** Keeps the trace of the call that asked for a job. Lets the audit's oldest lines be deleted, and only those. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // Locks all tables at once, in the order of their use: the migration never holds one while it waits for another.
  `LOCK TABLE wanted, jobs, audit IN ACCESS EXCLUSIVE MODE`,
  // W3C Trace Context. Null for older jobs, and for those that no call asked for.
  `ALTER TABLE jobs ADD COLUMN traceparent text`,
  `ALTER TABLE wanted ADD COLUMN traceparent text`,

  // The purging transaction states its cutoff. A trigger per row, so that a purge without any rows is no error.
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
