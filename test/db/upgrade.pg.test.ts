/** Migrations while processes work on the database. */
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../src/db/connect.ts';
import { listMigrations } from '../../src/db/migrate.ts';
import type { Db } from '../../src/db/schema.ts';
import { prepareSchema, upgradeSchema } from '../../src/db/upgrade.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let db: Db;

beforeAll(async () => {
  database = await createDatabase({ migrated: false });
  db = connect(database.url, { max: 3, applicationName: 'test', onError: () => undefined });
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

test('five processes that start at once create one schema', async () => {
  const applied = await Promise.all(Array.from({ length: 5 }, () => upgradeSchema(database.url, () => {})));
  const states = await listMigrations(db);
  expect(applied.flat().toSorted()).toEqual(states.map(({ name }) => name));
  expect(new Set(states.map(({ state }) => state))).toEqual(new Set(['applied']));
});

test('tables created and dropped by others meanwhile do not disturb the reading of the schema', async () => {
  const looks = { done: false };
  const neighbour = async () => {
    while (!looks.done)
      for (const statement of ['CREATE TABLE neighbour (a int, b int)', 'DROP TABLE neighbour'])
        await sql.raw(statement).execute(db);
  };
  const look = async () => {
    for (let i = 0; i < 100; i++) await listMigrations(db);
    expect(await upgradeSchema(database.url, () => {})).toEqual([]);
  };
  await Promise.all([neighbour(), look().finally(() => (looks.done = true))]);
});

test('a transaction that uses a table goes first, however long it takes, and the wait is reported', async () => {
  const told: string[] = [];
  let upgrading: Promise<string[]> | undefined;
  await db.transaction().execute(async (tx) => {
    // The table that every migration needs.
    await sql`LOCK TABLE kysely_migration IN ACCESS EXCLUSIVE MODE`.execute(tx);
    upgrading = upgradeSchema(database.url, (what) => told.push(what));
    await expect.poll(() => told.length, { timeout: 15_000 }).toBeGreaterThanOrEqual(2);
  });
  expect(await upgrading).toEqual([]);
});

test('the schema of a newer version stays unchanged, and is reported', async () => {
  await sql`INSERT INTO kysely_migration VALUES ('9999-later', '2030-01-01T00:00:00.000Z')`.execute(db);
  expect(await prepareSchema(db, database.url, () => {})).toEqual({ applied: [], newer: ['9999-later'] });
});
