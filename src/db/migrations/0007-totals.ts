/** Counts jobs as they end: every process reads the same numbers, whatever was restarted since. */
import { type Kysely, sql } from 'kysely';

/** Upper bounds of the counted seconds; one more place holds everything above. */
export const RUN_SECONDS = [5, 15, 60, 300, 900, 3600, 14_400];
export const WAIT_SECONDS = [0.5, 1, 5, 15, 60, 300, 1800];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

/** An array with a one at the value's place: `{0,1,0}`. Null counts nowhere. */
const placed = (value: string, bounds: readonly number[]) =>
  `(SELECT array_agg(coalesce((place = width_bucket(${value}::float8, ARRAY[${bounds.join(',')}]::float8[]))::int::bigint, 0)
      ORDER BY place) FROM generate_series(0, ${bounds.length}) place)`;
const summed = (column: string) =>
  `(SELECT array_agg(was + one ORDER BY place)
      FROM unnest(t.${column}, excluded.${column}) WITH ORDINALITY AS both_of(was, one, place))`;

/**
 * The function that counts a job as it ends.
 * @param target, action SQL expressions for the names that the job counts under
 */
export const countJobsAs = (target: string, action: string) =>
  `CREATE OR REPLACE FUNCTION job_counted() RETURNS trigger LANGUAGE plpgsql AS $$
   DECLARE
     run float8 := extract(epoch FROM NEW.finished_at - NEW.started_at);
     wait float8 := extract(epoch FROM coalesce(NEW.claimed_at, NEW.started_at, NEW.finished_at) - NEW.created_at);
     done bigint := (
       SELECT coalesce(sum(records_done), 0) FROM (
         SELECT DISTINCT ON (step, attempt) records_done FROM reports WHERE job_id = NEW.id
         ORDER BY step, attempt, seq DESC) AS last_reports);
   BEGIN
     INSERT INTO job_totals AS t VALUES (NEW.env, ${target}, ${action}, NEW.status,
       coalesce(NEW.diagnosis->>'code', ''), 1, done, coalesce(run, 0), coalesce(wait, 0),
       ${placed('run', RUN_SECONDS)}, ${placed('wait', WAIT_SECONDS)})
     ON CONFLICT (env, target, action, status, reason) DO UPDATE SET
       jobs = t.jobs + 1, records = t.records + excluded.records,
       run_seconds = t.run_seconds + excluded.run_seconds, wait_seconds = t.wait_seconds + excluded.wait_seconds,
       run_places = ${summed('run_places')}, wait_places = ${summed('wait_places')};
     RETURN NULL;
   END $$`;

const STATEMENTS = [
  `CREATE TABLE job_totals (
    env text NOT NULL,
    target text NOT NULL,
    action text NOT NULL,
    status text NOT NULL,
    reason text NOT NULL,
    jobs bigint NOT NULL,
    records bigint NOT NULL,
    run_seconds float8 NOT NULL,
    wait_seconds float8 NOT NULL,
    run_places bigint[] NOT NULL,
    wait_places bigint[] NOT NULL,
    PRIMARY KEY (env, target, action, status, reason)
  )`,
  countJobsAs('NEW.target', 'NEW.action_name'),
  `CREATE TRIGGER jobs_counted AFTER UPDATE OF status ON jobs FOR EACH ROW
    WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL) EXECUTE FUNCTION job_counted()`,
];
