/**
 * Each declared action's last success, its failures in a row, and the time from which its schedule promises
 * firings. Jobs count under names that job_params declares, so that their number stays bounded.
 */
import { type Kysely, sql } from 'kysely';
import { countJobsAs } from './0007-totals.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

/** During an upgrade the previous version submits jobs without these names. */
const TARGET = 'coalesce(NEW.counted_target, NEW.target)';
const ACTION = 'coalesce(NEW.counted_action, NEW.action_name)';
/** A job for some items alone leaves the other items as old as they were. */
const isWhole = (options: string) => `strpos(' ' || ${options}, ' --item') = 0`;

const STATEMENTS = [
  'ALTER TABLE jobs ADD COLUMN counted_target text, ADD COLUMN counted_action text',
  countJobsAs(TARGET, ACTION),
  `CREATE TABLE standings (
    env text NOT NULL,
    target text NOT NULL,
    action text NOT NULL,
    last_success_at timestamptz,
    failures integer NOT NULL,
    PRIMARY KEY (env, target, action)
  )`,
  `CREATE FUNCTION job_stands() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     INSERT INTO standings AS s VALUES (NEW.env, ${TARGET}, ${ACTION},
       CASE WHEN NEW.status = 'completed' AND ${isWhole('NEW.options')} THEN NEW.finished_at END,
       (NEW.status = 'failed')::integer)
     ON CONFLICT (env, target, action) DO UPDATE SET
       last_success_at = coalesce(excluded.last_success_at, s.last_success_at),
       failures = CASE WHEN NEW.status = 'completed' THEN 0 ELSE s.failures + 1 END;
     RETURN NULL;
   END $$`,
  // The trigger comes before the count of existing jobs: a job that ends meanwhile waits for it.
  `CREATE TRIGGER jobs_stand AFTER UPDATE OF status ON jobs FOR EACH ROW
    WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL AND NEW.status IN ('completed', 'failed'))
    EXECUTE FUNCTION job_stands()`,
  `INSERT INTO standings
   SELECT env, target, action_name, last_success_at, (SELECT count(*) FROM jobs j WHERE j.env = ended.env
     AND j.target = ended.target AND j.action_name = ended.action_name AND j.status = 'failed' AND j.id > last_id)
   FROM (
     SELECT env, target, action_name, coalesce(max(id) FILTER (WHERE status = 'completed'), 0) AS last_id,
       max(finished_at) FILTER (WHERE status = 'completed' AND ${isWhole('options')}) AS last_success_at
     FROM jobs WHERE status IN ('completed', 'failed') GROUP BY env, target, action_name
   ) AS ended`,
  `CREATE TABLE schedule_promises (
    schedule text PRIMARY KEY,
    text text,
    since timestamptz NOT NULL DEFAULT now()
  )`,
  `INSERT INTO schedule_promises (schedule, since)
   SELECT schedule, min(nominal_time) FROM schedule_firings GROUP BY schedule`,
];
