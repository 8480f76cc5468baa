/** The first schema. Spells out the lists of statuses, because a migration never changes with the code. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `CREATE TABLE installation (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    uuid uuid NOT NULL DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT now()
  )`,
  `INSERT INTO installation DEFAULT VALUES`,

  // One row per requested job. Every change raises `version`, so that a listener can tell newer from older.
  `CREATE SEQUENCE job_versions`,
  `CREATE TABLE jobs (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uid uuid NOT NULL UNIQUE,
    env text NOT NULL,
    target text NOT NULL,
    action_name text NOT NULL,
    action text NOT NULL,
    is_tag text NOT NULL,
    options text NOT NULL,
    mam_main_query text,
    runner text NOT NULL CHECK (runner IN ('kubernetes', 'process', 'external')),
    steps_spec jsonb NOT NULL,
    spec_hash text NOT NULL,
    "trigger" text NOT NULL,
    requested_by text NOT NULL,
    resumes integer UNIQUE REFERENCES jobs,
    status text NOT NULL CHECK (status IN
      ('queued', 'waiting', 'starting', 'running', 'cancelling', 'completed', 'failed', 'deleted')),
    status_reason text,
    status_detail text,
    abandoned boolean NOT NULL DEFAULT false,
    force_delete boolean NOT NULL DEFAULT false,
    cancel_requested_at timestamptz,
    cancel_requested_by text,
    run_id text,
    run_started_at timestamptz,
    claimed_at timestamptz,
    started_at timestamptz,
    observed_at timestamptz,
    finished_at timestamptz,
    diagnosis jsonb,
    version bigint NOT NULL DEFAULT nextval('job_versions'),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((status IN ('completed', 'failed', 'deleted')) = (finished_at IS NOT NULL))
  )`,
  // This index makes two active jobs of one key impossible.
  `CREATE UNIQUE INDEX jobs_one_active ON jobs (env, target)
    WHERE status IN ('queued', 'waiting', 'starting', 'running', 'cancelling')`,
  `CREATE INDEX jobs_by_key ON jobs (env, target, id DESC)`,
  `CREATE INDEX jobs_by_status ON jobs (status, id DESC)`,
  `CREATE INDEX jobs_by_change ON jobs (version)`,

  `CREATE TABLE steps (
    job_id integer NOT NULL REFERENCES jobs,
    step integer NOT NULL,
    attempt integer NOT NULL,
    action text NOT NULL,
    name text NOT NULL UNIQUE,
    runner_uid text,
    created_at timestamptz NOT NULL DEFAULT now(),
    launched_at timestamptz,
    started_at timestamptz,
    ended_at timestamptz,
    outcome text CHECK (outcome IN ('completed', 'failed', 'cancelled')),
    diagnosis jsonb,
    PRIMARY KEY (job_id, step, attempt)
  )`,

  `CREATE TABLE reports (
    job_id integer NOT NULL,
    step integer NOT NULL,
    attempt integer NOT NULL,
    seq integer NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    phase text NOT NULL,
    records_done bigint,
    records_total bigint,
    added bigint,
    updated bigint,
    deleted bigint,
    failed bigint,
    checkpoint jsonb,
    message text,
    PRIMARY KEY (job_id, step, attempt, seq),
    FOREIGN KEY (job_id, step, attempt) REFERENCES steps
  )`,

  `CREATE TABLE step_logs (
    job_id integer NOT NULL,
    step integer NOT NULL,
    attempt integer NOT NULL,
    byte_offset bigint NOT NULL,
    byte_length integer NOT NULL,
    text text NOT NULL,
    mark text,
    PRIMARY KEY (job_id, step, attempt, byte_offset),
    FOREIGN KEY (job_id, step, attempt) REFERENCES steps
  )`,

  `CREATE TABLE sync_jobs (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id integer,
    step integer,
    attempt integer,
    start_time timestamptz NOT NULL DEFAULT now(),
    end_time timestamptz,
    data_source text,
    type text NOT NULL,
    total_records bigint NOT NULL DEFAULT 0,
    completed boolean,
    options text,
    version text,
    target_datastore_url text,
    UNIQUE (job_id, step, attempt),
    FOREIGN KEY (job_id, step, attempt) REFERENCES steps
  )`,
  `CREATE INDEX sync_jobs_by_start ON sync_jobs (start_time DESC, id DESC)`,

  `CREATE TABLE idempotency_keys (
    principal text NOT NULL,
    key text NOT NULL,
    body_hash text NOT NULL,
    job_id integer NOT NULL REFERENCES jobs,
    deduplicated boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (principal, key)
  )`,

  `CREATE TABLE targets (
    env text NOT NULL,
    target text NOT NULL,
    last_success_job_id integer REFERENCES jobs,
    last_success_at timestamptz,
    wanted_at timestamptz,
    PRIMARY KEY (env, target)
  )`,

  `CREATE TABLE maintenance (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    paused boolean NOT NULL,
    msg text NOT NULL,
    set_by text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
  )`,
  `INSERT INTO maintenance (paused, msg, set_by) VALUES (false, 'Installed.', 'syncrator')`,

  `CREATE TABLE schedule_firings (
    schedule text NOT NULL,
    nominal_time timestamptz NOT NULL,
    job_id integer REFERENCES jobs,
    outcome text NOT NULL CHECK (outcome IN ('started', 'deduplicated', 'skipped', 'superseded')),
    detail text,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (schedule, nominal_time)
  )`,

  `CREATE TABLE users (
    username text PRIMARY KEY,
    password_hash text NOT NULL,
    disabled boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
  )`,

  `CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    principal text NOT NULL,
    verb text NOT NULL,
    object text NOT NULL,
    detail jsonb
  )`,

  // Every change of a job, by any writer, raises its version and notifies the listeners.
  `CREATE FUNCTION job_changed() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     NEW.version := nextval('job_versions');
     NEW.updated_at := now();
     PERFORM pg_notify('syncrator_job', NEW.id::text);
     RETURN NEW;
   END $$`,
  `CREATE TRIGGER jobs_changed BEFORE UPDATE ON jobs FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION job_changed()`,
  // The last line of defence of "final statuses never change", behind the guards of the queries.
  `CREATE FUNCTION job_final() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     RAISE EXCEPTION 'job % is %: a final job never changes', OLD.id, OLD.status USING ERRCODE = 'check_violation';
   END $$`,
  `CREATE TRIGGER jobs_final BEFORE UPDATE ON jobs FOR EACH ROW
    WHEN (OLD.status IN ('completed', 'failed', 'deleted') AND OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION job_final()`,
];
