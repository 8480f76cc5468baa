/**
 * Losses: records that a job held back because too many were missing, and the answers of people about them. The previous
 * version knows none of these tables, and nothing that it writes is read through them alone.
 */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // An upload is written page by page and becomes the set of a loss by one change of `losses.upload_id`. Without foreign
  // keys to jobs: a job is purged without a look at these tables.
  `CREATE TABLE loss_uploads (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id integer NOT NULL,
    step integer NOT NULL,
    attempt integer NOT NULL,
    next_page integer NOT NULL DEFAULT 0,
    stored integer NOT NULL DEFAULT 0,
    last_id text COLLATE "C",
    page_hash text,
    live bigint NOT NULL DEFAULT 0,
    complete boolean NOT NULL DEFAULT false,
    abandoned boolean NOT NULL DEFAULT false,
    at timestamptz NOT NULL DEFAULT now()
  )`,
  `CREATE UNIQUE INDEX loss_uploads_of_attempt ON loss_uploads (job_id, step, attempt) WHERE NOT abandoned`,
  `CREATE TABLE loss_records (
    upload_id bigint NOT NULL,
    id text COLLATE "C" NOT NULL,
    missing_since timestamptz NOT NULL,
    last_seen timestamptz,
    updated_at timestamptz,
    record jsonb,
    PRIMARY KEY (upload_id, id)
  )`,
  `CREATE TABLE losses (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    env text NOT NULL,
    target text NOT NULL,
    status text NOT NULL CHECK (status IN ('waiting', 'resolved')),
    reason text NOT NULL,
    job_id integer NOT NULL,
    started_by text NOT NULL,
    -- everybody who started a job whose listing told this set while it waited: none of them may approve it
    caused_by text[] NOT NULL,
    upload_id bigint,
    count integer NOT NULL,
    live bigint NOT NULL,
    pinned integer NOT NULL,
    digest text NOT NULL,
    born_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    resolved_at timestamptz,
    noticed_at timestamptz
  )`,
  `CREATE UNIQUE INDEX losses_one_waiting ON losses (env, target) WHERE status = 'waiting'`,
  `CREATE INDEX losses_upload ON losses (upload_id)`,
  // A pinned record is not proposed again until then. The row goes when its time is over.
  `CREATE TABLE loss_pins (
    env text NOT NULL,
    target text NOT NULL,
    id text COLLATE "C" NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (env, target, id)
  )`,
  `CREATE INDEX loss_pins_until ON loss_pins (until)`,
  // A removal is what enough approvals of one digest lead to: one job, and the ids that it may remove.
  `CREATE TABLE loss_removals (
    uid uuid PRIMARY KEY,
    loss_id integer NOT NULL REFERENCES losses ON DELETE CASCADE,
    digest text NOT NULL,
    count integer NOT NULL,
    job_id integer,
    at timestamptz NOT NULL DEFAULT now()
  )`,
  `CREATE INDEX loss_removals_of_loss ON loss_removals (loss_id)`,
  // Ids in blocks: half a million rows would take too long for one request.
  `CREATE TABLE loss_removal_ids (
    removal uuid NOT NULL REFERENCES loss_removals ON DELETE CASCADE,
    last_id text COLLATE "C" NOT NULL,
    ids text[] COLLATE "C" NOT NULL,
    PRIMARY KEY (removal, last_id)
  )`,
  `CREATE TABLE loss_approvals (
    uid uuid PRIMARY KEY,
    loss_id integer NOT NULL REFERENCES losses ON DELETE CASCADE,
    digest text NOT NULL,
    by_id text NOT NULL,
    by_name text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    removal uuid REFERENCES loss_removals ON DELETE SET NULL
  )`,
  `CREATE INDEX loss_approvals_of_loss ON loss_approvals (loss_id, digest)`,
  // Each digest that a loss has had, and what led to it: whoever answers an older one is told what has changed since.
  `CREATE TABLE loss_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    loss_id integer NOT NULL REFERENCES losses ON DELETE CASCADE,
    digest text NOT NULL,
    added integer NOT NULL,
    gone integer NOT NULL,
    what text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
  )`,
  `CREATE INDEX loss_changes_of_loss ON loss_changes (loss_id, id)`,
  `ALTER TABLE notices ADD COLUMN loss_id integer`,
];
