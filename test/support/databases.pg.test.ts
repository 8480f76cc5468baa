import { connect } from '../../src/db/connect.ts';
import { Connection } from '@temporalio/client';
import pg from 'pg';
import { expect, test } from 'vitest';
import { createDatabase } from './database.ts';
import { createNamespace } from './temporal.ts';

test('a migrated database has the schema and belongs to one test only', async () => {
  await using one = await createDatabase();
  await using two = await createDatabase();
  expect(one.url).not.toBe(two.url);
  const db = connect(one.url, { max: 1, applicationName: 'test', onError: console.error });
  try {
    const rows = await db.selectFrom('installation').select('uuid').execute();
    expect(rows).toHaveLength(1);
  } finally {
    await db.destroy();
  }
});

test('an empty database has no tables, and is gone after drop', async () => {
  const empty = await createDatabase({ migrated: false });
  const client = new pg.Client({ connectionString: empty.url });
  await client.connect();
  const { rows } = await client.query("SELECT 1 FROM pg_tables WHERE schemaname = 'public'");
  await client.end();
  expect(rows).toHaveLength(0);
  await empty.drop();
  await expect(new pg.Client({ connectionString: empty.url }).connect()).rejects.toThrow(/does not exist/);
});

test('namespaces are separate and usable at once', async () => {
  const [one, two] = await Promise.all([createNamespace(), createNamespace()]);
  expect(one.namespace).not.toBe(two.namespace);
  const connection = await Connection.connect({ address: one.address });
  const described = await connection.workflowService.describeNamespace({ namespace: one.namespace });
  expect(described.namespaceInfo?.name).toBe(one.namespace);
  await connection.close();
});
