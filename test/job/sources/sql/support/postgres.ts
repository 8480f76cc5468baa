/** A database of its own on the run's Postgres. */
import { Client } from 'pg';
import { createDatabase } from '../../../../support/database.ts';
import type { SqlDatabase } from './database.ts';

export async function postgresDatabase(): Promise<SqlDatabase> {
  const database = await createDatabase({ migrated: false });
  const exec = async (sql: string): Promise<void> => {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  };
  await exec(
    `CREATE SEQUENCE numbers; CREATE FUNCTION wait(text) RETURNS text LANGUAGE sql VOLATILE AS 'SELECT $1 FROM pg_sleep(0.1)'`,
  );
  return {
    url: database.url,
    exec,
    text: 'text',
    timestamp: 'timestamptz',
    slow: 'SELECT wait(id) AS id, name FROM places',
    writing: `SELECT id, name, nextval('numbers') FROM places`,
    [Symbol.asyncDispose]: () => database.drop(),
  };
}
