/** When the logins of a user ended; and who a user or a program is beyond a name, which another one may have later. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

/** As the audit tells it, which knows no other way to do so than by a command of ours. */
const lastOf = (verb: string) =>
  `(SELECT max(at) FROM audit WHERE object = 'user ' || users.username AND verb = '${verb}' AND refused IS NULL)`;

const STATEMENTS = [
  `ALTER TABLE users
    ADD COLUMN id text,
    ADD COLUMN password_changed_at timestamptz,
    ADD COLUMN logins_ended_at timestamptz`,
  // The Idempotency-Keys of those there are stand under their names already.
  `UPDATE users SET id = username, password_changed_at = ${lastOf('passwd')},
    logins_ended_at = greatest(created_at, ${lastOf('disable')})`,
  `ALTER TABLE users
    ALTER COLUMN id SET DEFAULT gen_random_uuid()::text, ALTER COLUMN id SET NOT NULL,
    ALTER COLUMN logins_ended_at SET DEFAULT clock_timestamp(), ALTER COLUMN logins_ended_at SET NOT NULL`,
  // By Postgres and not by our statements: the version before this one changes passwords too, beside it. The clock's time
  // and not the transaction's: it is read with the row locked, so that no login lies between (db/users.ts).
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

  // Of tokens that are good now; null of all later ones, which are known by their ids.
  `ALTER TABLE service_tokens ADD COLUMN principal text`,
  `UPDATE service_tokens SET principal = 'token:' || name WHERE revoked_at IS NULL`,
];
