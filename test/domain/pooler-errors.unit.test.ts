/** PgBouncer's messages, observed from 1.18 or found in the source of a newer version. */
import { expect, test } from 'vitest';
import { mayPoolerPass, poolerRemedy } from '../../src/domain/pooler-errors.ts';

test.each([
  ['query_wait_timeout', true],
  ['server conn crashed?', true],
  ['server login has been failing, try again later (server_login_retry)', true],
  [
    'server login has been failing, cached error: the database system is starting up (server_login_retry)',
    true,
  ],
  ['no more connections allowed (max_client_conn)', true],
  ['the pooler is shutting down', true],
  [
    'server login has been failing, cached error: database "absent" does not exist (server_login_retry)',
    false,
  ],
  ['database "absent" does not exist', false],
  ['no such database: absent', false],
  ['password authentication failed', false],
  ['unsupported startup parameter: statement_timeout', false],
  ['transaction blocks not allowed in statement pooling mode', false],
])('%s: may pass %s', (message, passes) => {
  expect(mayPoolerPass(message)).toBe(passes);
});

test.each([
  ['unsupported startup parameter: geqo', 'ignore_startup_parameters'],
  ['no such database: absent', 'create this database'],
  ['password authentication failed', 'correct the role and the password'],
  ['transaction blocks not allowed in statement pooling mode', 'pool_mode=session'],
])('%s is mended by %s', (message, words) => {
  expect(poolerRemedy(message)).toContain(words);
});
