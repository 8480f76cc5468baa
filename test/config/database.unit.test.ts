/** DATABASE_URL must name a database: the driver would take the one that has the user's name. */
import { expect, test } from 'vitest';
import { readDatabaseConfig } from '../../src/config/config.ts';

test.each([
  'postgres://user:secret@localhost:5432',
  'postgres://user:secret@localhost:5432/',
  'postgres://user:secret@localhost?dbname=x',
  'mysql://user:secret@localhost/x',
])('%s is refused, and not shown', (DATABASE_URL) => {
  const read = () => readDatabaseConfig({ DATABASE_URL });
  expect(read).toThrow(/DATABASE_URL must be postgres:\/\/user:password@host:port\/database/);
  expect(read).not.toThrow(/secret/);
});

test('one with a database is taken', () => {
  const DATABASE_URL = 'postgres://user:secret@localhost/x';
  expect(readDatabaseConfig({ DATABASE_URL }).databaseUrl).toBe(DATABASE_URL);
});
