/** The connections of a sink in Postgres. */
import { expect, inject, it } from 'vitest';
import { endConnections } from '../../../../src/job/postgres-end.ts';
import { createSinkPool } from '../../../../src/job/sinks/postgres/connect.ts';
import { startSilentRelay } from '../../support/silent-relay.ts';

it('are closed although their server has fallen silent', async () => {
  await using relay = await startSilentRelay(inject('postgresUrl'));
  const pool = createSinkPool(relay.url, 1);
  expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  relay.fallSilent();
  await endConnections(pool);
});
