/** External jobs: their executors' words and logs, the parameters of actions, and answers to whole batches. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `ALTER TABLE jobs ADD COLUMN phase text, ADD COLUMN description text, ADD COLUMN action_parameters jsonb`,
  // Finds the jobs that name a target in their manifest; few jobs have parameters of their own.
  `CREATE INDEX jobs_by_naming ON jobs USING gin (action_parameters jsonb_path_ops)
    WHERE action_parameters IS NOT NULL`,
  // A line is shown as "<time> <message>". Its byte offset is kept, so that this log reads like others.
  `CREATE TABLE job_log (
    job_id integer NOT NULL REFERENCES jobs,
    byte_offset bigint NOT NULL,
    byte_length integer NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    message text NOT NULL,
    PRIMARY KEY (job_id, byte_offset)
  )`,
  // A key stands for one job, or for the answer to a batch. The type is json, so that the answer is repeated to the
  // letter.
  `ALTER TABLE idempotency_keys ALTER COLUMN job_id DROP NOT NULL, ADD COLUMN answer json,
    ADD CHECK ((job_id IS NULL) <> (answer IS NULL))`,
];
