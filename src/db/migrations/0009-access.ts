/** Roles and limits, service tokens, and an audit that only grows. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

/** Null means no limit; an empty list, which could be read as no limit, is refused. */
const GRANT = `role text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    envs text[] CHECK (cardinality(envs) > 0),
    actions text[] CHECK (cardinality(actions) > 0)`;

const STATEMENTS = [
  // Until now every user could do everything; from now on each has a role.
  `ALTER TABLE users
    ADD COLUMN role text NOT NULL DEFAULT 'admin' CHECK (role IN ('viewer', 'operator', 'admin')),
    ADD COLUMN envs text[] CHECK (cardinality(envs) > 0),
    ADD COLUMN actions text[] CHECK (cardinality(actions) > 0)`,
  `ALTER TABLE users ALTER COLUMN role DROP DEFAULT`,

  `CREATE TABLE service_tokens (
    id text PRIMARY KEY,
    name text NOT NULL,
    hash bytea NOT NULL,
    ${GRANT},
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
  )`,
  // Revoked tokens are kept for the record; their names are free again.
  `CREATE UNIQUE INDEX service_tokens_one_name ON service_tokens (name) WHERE revoked_at IS NULL`,

  `ALTER TABLE audit
    ADD COLUMN refused text,
    ADD COLUMN reason text,
    ADD COLUMN address text,
    ADD COLUMN request_id text`,
  `CREATE INDEX audit_by_principal ON audit (principal text_pattern_ops, id DESC)`,
  `CREATE INDEX audit_by_object ON audit (object text_pattern_ops, id DESC)`,
  `CREATE INDEX audit_by_time ON audit (at)`,
  `CREATE FUNCTION audit_kept() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     RAISE EXCEPTION 'the audit only grows: % is refused', TG_OP USING ERRCODE = 'check_violation';
   END $$`,
  `CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_kept()`,
];
