/**
 * Errors of PgBouncer itself. All have the code 08P01 (protocol_violation), so only their words tell temporary
 * errors from permanent ones. Pure.
 */

export const PROTOCOL_VIOLATION = '08P01';

/** The pooler or the Postgres behind it is full, starting or gone: try again. */
const PASSING =
  /query_wait_timeout|server conn crashed|login has been failing|no more connections|shutting down|cannot connect to server|lifetime|idle timeout|login_timeout/;
/** Newer versions repeat Postgres' reason for refusing them. */
const LASTING = /does not exist|authentication failed|no such|pg_hba/;

const MENDED_BY: readonly (readonly [RegExp, string])[] = [
  [/authentication failed|no such user/, 'correct the role and the password, or the pooler’s list of users'],
  [/does not exist|no such database/, 'create this database, name another one, or let the pooler know it'],
  [/startup parameter/, 'add it to the pooler’s ignore_startup_parameters, or remove it from the URL'],
];
const OF_ANY = 'let the pooler hand out sessions (pool_mode=session of PgBouncer), or connect without it';

/** @param message of an error whose code is PROTOCOL_VIOLATION */
export function mayPoolerPass(message: string): boolean {
  return PASSING.test(message) && !LASTING.test(message);
}

/** The remedy for an error that waiting does not cure. */
export function poolerRemedy(message: string): string {
  return MENDED_BY.find(([form]) => form.test(message))?.[1] ?? OF_ANY;
}
