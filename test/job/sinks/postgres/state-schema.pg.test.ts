/** The sink's own tables are created once, even if two programs open the same database for the first time. */
import { once } from 'node:events';
import pg from 'pg';
import { expect, test, vi } from 'vitest';
import { RECORD_ALONE } from '../../../../src/job/columns/columns-settings.ts';
import { placesOf } from '../../../../src/job/sinks/postgres/places.ts';
import { prepareStateSchema } from '../../../../src/job/sinks/postgres/state-schema.ts';
import { createDatabase } from '../../../support/database.ts';

const PLACES = placesOf({ schema: null, table: 'cities', stateSchema: 'syncrator' });

test('a program that waits while another creates the state tables finds them created', async () => {
  await using database = await createDatabase({ migrated: false });
  const pool = new pg.Pool({ connectionString: database.url, max: 3 });
  const [maker, waiter] = [await pool.connect(), await pool.connect()];
  try {
    for (const client of [maker, waiter]) await client.query('BEGIN');
    await prepareStateSchema(maker, PLACES, { acceptAllTables: false, columns: RECORD_ALONE });
    const waiting = prepareStateSchema(waiter, PLACES, { acceptAllTables: false, columns: RECORD_ALONE });
    await vi.waitFor(async () => {
      const { rowCount } = await pool.query(
        "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
      );
      expect(rowCount).toBe(1);
    });
    await maker.query('COMMIT');
    await waiting;
    await waiter.query('COMMIT');
    expect((await pool.query(`SELECT version FROM ${PLACES.version}`)).rows).toEqual([{ version: 1 }]);
  } finally {
    // Each reports the end of its session: the database is dropped with sessions open.
    const left = [maker, waiter].map((client) => once(client, 'end'));
    for (const client of [maker, waiter]) client.release(true);
    await Promise.all(left);
    await pool.end();
  }
});
