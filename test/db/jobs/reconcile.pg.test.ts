/** The reconciler never asks a server that may know fewer jobs which objects to remove. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, isReadOnly } from '../../../src/db/connect.ts';
import { listActiveUids } from '../../../src/db/jobs/reconcile.ts';
import type { Db } from '../../../src/db/schema.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
let current: Db;
/** A connection of the same pool to a server that no longer takes writes. */
let old: Db;

beforeAll(async () => {
  database = await createDatabase();
  const to = (url: string) => connect(url, { max: 1, applicationName: 'test', onError: () => undefined });
  current = to(database.url);
  old = to(`${database.url}?options=-c%20default_transaction_read_only%3Don`);
});
afterAll(async () => {
  await Promise.all([current.destroy(), old.destroy()]);
  await database.drop();
});

test('a server without writes does not tell which jobs are active, because newer ones would look unknown', async () => {
  expect(await listActiveUids(current, [randomUUID()])).toEqual(new Set());
  const asked = await listActiveUids(old, [randomUUID()]).catch((error: unknown) => error);
  expect(isReadOnly(asked)).toBe(true);
});
