/**
 * Notifies listeners of new jobs and of the maintenance flag, too, and indexes jobs by the time of their last
 * change.
 */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `CREATE FUNCTION job_created() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     PERFORM pg_notify('syncrator_job', NEW.id::text);
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER jobs_created AFTER INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION job_created()`,
  `CREATE FUNCTION maintenance_set() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     PERFORM pg_notify('syncrator_maintenance', '');
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER maintenance_set AFTER INSERT ON maintenance FOR EACH ROW EXECUTE FUNCTION maintenance_set()`,
  `CREATE INDEX jobs_by_time_of_change ON jobs (updated_at)`,
];
