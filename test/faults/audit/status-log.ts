/** Every status that a job ever had, with its time, written by a trigger that the audit adds to Postgres. */
import { type Kysely, sql } from 'kysely';
import type { Db } from '../../../src/db/schema.ts';
import type { JobStatus } from '../../../src/domain/status.ts';

export type StatusChange = { readonly jobId: number; readonly status: JobStatus; readonly at: Date };

type WithLog = { audit_status: { seq: number; job_id: number; status: JobStatus; at: Date } };

/** Records from now on; safe to repeat. */
export async function watchStatuses(db: Db): Promise<void> {
  await sql
    .raw(`
    CREATE TABLE IF NOT EXISTS audit_status
      (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, job_id integer NOT NULL, status text NOT NULL,
       at timestamptz NOT NULL DEFAULT clock_timestamp());
    CREATE OR REPLACE FUNCTION audit_status() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO audit_status (job_id, status) VALUES (NEW.id, NEW.status); RETURN NULL; END $$;
    CREATE OR REPLACE TRIGGER audit_status_insert AFTER INSERT ON jobs
      FOR EACH ROW EXECUTE FUNCTION audit_status();
    CREATE OR REPLACE TRIGGER audit_status_update AFTER UPDATE OF status ON jobs
      FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION audit_status();`)
    .execute(db);
}

/** In the order of the changes; without those of rolled-back transactions. */
export async function readStatuses(db: Db): Promise<StatusChange[]> {
  const rows = await (db as unknown as Kysely<WithLog>)
    .selectFrom('audit_status')
    .select(['job_id', 'status', 'at'])
    .orderBy('seq')
    .execute();
  return rows.map(({ job_id: jobId, status, at }) => ({ jobId, status, at }));
}
