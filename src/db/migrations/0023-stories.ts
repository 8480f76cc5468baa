/**
 * Stories of records that programs have told, and the listings from which the freshness of removals follows. The previous
 * version knows neither table; a job that it completes meanwhile only leaves that time older than it is.
 */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // Without a foreign key to jobs: a job is purged without a look at this table.
  `CREATE TABLE stories (
    job_id integer PRIMARY KEY,
    env text NOT NULL,
    target text NOT NULL,
    id text COLLATE "C" NOT NULL,
    told_at timestamptz NOT NULL DEFAULT now(),
    story jsonb NOT NULL
  )`,
  `CREATE INDEX stories_of_record ON stories (env, target, id)`,
  `CREATE INDEX stories_told ON stories (told_at)`,
  // Completed jobs whose listing was proven complete; rows older than 100 days and than the one that counts are deleted.
  `CREATE TABLE proven_listings (
    env text NOT NULL,
    target text NOT NULL,
    at timestamptz NOT NULL,
    job_id integer NOT NULL,
    PRIMARY KEY (env, target, at)
  )`,
  `INSERT INTO proven_listings (env, target, at, job_id)
   SELECT t.env, t.target, j.finished_at, j.id FROM targets t JOIN jobs j ON j.id = t.last_success_job_id
   WHERE j.finished_at IS NOT NULL
     AND EXISTS (SELECT FROM steps s WHERE s.job_id = j.id AND s.facts->>'listing' = 'complete')`,
  // When the first of its records was missed; null in an upload that the previous version has stored.
  `ALTER TABLE loss_uploads ADD COLUMN oldest timestamptz`,
];
