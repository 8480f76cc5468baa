/** DATABASE_URL must name a database: the driver would use the one with the user's name. */
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

test('a URL with a database is accepted', () => {
  const DATABASE_URL = 'postgres://user:secret@localhost/x';
  expect(readDatabaseConfig({ DATABASE_URL }).databaseUrl).toBe(DATABASE_URL);
});
