/**
 * Plans: what a job would change, as its program has uploaded it. The previous version knows none of these tables; it
 * deletes a plan with its job all the same.
 */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // As loss_uploads: an upload is written page by page, and becomes that of a plan with its last page.
  `CREATE TABLE plan_uploads (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id integer NOT NULL,
    step integer NOT NULL,
    attempt integer NOT NULL,
    next_page integer NOT NULL DEFAULT 0,
    stored integer NOT NULL DEFAULT 0,
    -- the place of the last record: its kind in the order of kinds, and its id
    last_id text COLLATE "C",
    page_hash text,
    complete boolean NOT NULL DEFAULT false,
    abandoned boolean NOT NULL DEFAULT false,
    at timestamptz NOT NULL DEFAULT now()
  )`,
  `CREATE UNIQUE INDEX plan_uploads_of_attempt ON plan_uploads (job_id, step, attempt) WHERE NOT abandoned`,
  `CREATE TABLE plan_records (
    upload_id bigint NOT NULL,
    -- the place of the kind among PLAN_KINDS: a page is one leap into the index
    kind smallint NOT NULL,
    id text COLLATE "C" NOT NULL,
    before jsonb,
    after jsonb,
    PRIMARY KEY (upload_id, kind, id)
  )`,
  `CREATE TABLE plans (
    job_id integer PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
    env text NOT NULL,
    target text NOT NULL,
    -- the planned action, by its name in the params file and by what it does
    action_name text NOT NULL,
    action text NOT NULL,
    -- null: the records are no longer shown
    upload_id bigint,
    digest text NOT NULL,
    live bigint NOT NULL,
    listed bigint NOT NULL,
    added bigint NOT NULL,
    updated bigint NOT NULL,
    removed bigint NOT NULL,
    held bigint NOT NULL,
    kept bigint NOT NULL,
    watermark timestamptz,
    -- records that were uploaded, by the place of their kind
    shown integer[] NOT NULL,
    born_at timestamptz NOT NULL DEFAULT now()
  )`,
  `CREATE INDEX plans_of_key ON plans (env, target, job_id DESC)`,
  `CREATE INDEX plans_upload ON plans (upload_id)`,
];
