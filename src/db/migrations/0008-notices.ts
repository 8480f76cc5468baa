/**
 * Queues notices in the transaction of the change itself, so that none is lost, and none tells what did not happen.
 */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `CREATE TABLE notices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event text NOT NULL,
    env text NOT NULL,
    target text NOT NULL,
    job_id integer,
    schedule text,
    at timestamptz NOT NULL DEFAULT now(),
    handed_on boolean NOT NULL DEFAULT false,
    UNIQUE (schedule, at)
  )`,
  `CREATE INDEX notices_open ON notices (id) WHERE NOT handed_on`,
  `CREATE FUNCTION job_noticed() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     INSERT INTO notices (event, env, target, job_id)
     VALUES (CASE NEW.status WHEN 'running' THEN 'started' ELSE NEW.status END, NEW.env, NEW.target, NEW.id);
     RETURN NULL;
   END $$`,
  // A job that goes from waiting back to running does not start a second time.
  `CREATE TRIGGER jobs_noticed AFTER UPDATE OF status ON jobs FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status AND (NEW.finished_at IS NOT NULL
      OR (NEW.status = 'running' AND OLD.started_at IS NULL)))
    EXECUTE FUNCTION job_noticed()`,
];
