/**
 * The time when a user's logins ended; and ids for users and tokens, because a name may be given to another one
 * later.
 */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

/** Read from the audit: only our own command ever did this. */
const lastOf = (verb: string) =>
  `(SELECT max(at) FROM audit WHERE object = 'user ' || users.username AND verb = '${verb}' AND refused IS NULL)`;

const STATEMENTS = [
  `ALTER TABLE users
    ADD COLUMN id text,
    ADD COLUMN password_changed_at timestamptz,
    ADD COLUMN logins_ended_at timestamptz`,
  // Existing Idempotency-Keys are stored under the users' names, so these become their ids.
  `UPDATE users SET id = username, password_changed_at = ${lastOf('passwd')},
    logins_ended_at = greatest(created_at, ${lastOf('disable')})`,
  `ALTER TABLE users
    ALTER COLUMN id SET DEFAULT gen_random_uuid()::text, ALTER COLUMN id SET NOT NULL,
    ALTER COLUMN logins_ended_at SET DEFAULT clock_timestamp(), ALTER COLUMN logins_ended_at SET NOT NULL`,
  // A trigger, not our statements: during an upgrade the previous version changes passwords, too. It takes the
  // clock's time, not the transaction's: it runs with the row locked, so that no login lies between (db/users.ts).
  `CREATE FUNCTION end_logins() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     IF NEW.password_hash IS DISTINCT FROM OLD.password_hash THEN
       NEW.password_changed_at = clock_timestamp();
     END IF;
     IF NEW.disabled AND NOT OLD.disabled THEN
       NEW.logins_ended_at = clock_timestamp();
     END IF;
     RETURN NEW;
   END $$`,
  `CREATE TRIGGER users_end_logins BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION end_logins()`,

  // For tokens in use now; null for all later ones, which are known by their ids.
  `ALTER TABLE service_tokens ADD COLUMN principal text`,
  `UPDATE service_tokens SET principal = 'token:' || name WHERE revoked_at IS NULL`,
];
