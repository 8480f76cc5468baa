/**
 * What PgBouncer says itself. It has one code for everything (08P01, protocol_violation), so its words alone tell what
 * may pass from what never will. Pure.
 */

export const PROTOCOL_VIOLATION = '08P01';

/** It, or the Postgres behind it, is full, starting or gone: another try may fare better. */
const PASSING =
  /query_wait_timeout|server conn crashed|login has been failing|no more connections|shutting down|cannot connect to server|lifetime|idle timeout|login_timeout/;
/** Newer ones repeat why Postgres did not let them in. */
const LASTING = /does not exist|authentication failed|no such|pg_hba/;

const MENDED_BY: readonly (readonly [RegExp, string])[] = [
  [/authentication failed|no such user/, 'correct the role and password, or the pooler’s list of users'],
  [/does not exist|no such database/, 'create this database, name another one, or let the pooler know it'],
  [/startup parameter/, 'name it in ignore_startup_parameters of the pooler, or take it out of the URL'],
];
const OF_ANY = 'let the pooler hand out sessions (pool_mode=session of PgBouncer), or connect without it';

/** @param message of an error whose code is PROTOCOL_VIOLATION */
export function mayPoolerPass(message: string): boolean {
  return PASSING.test(message) && !LASTING.test(message);
}

/** What mends what it says, when no waiting does. */
export function poolerRemedy(message: string): string {
  return MENDED_BY.find(([form]) => form.test(message))?.[1] ?? OF_ANY;
}
