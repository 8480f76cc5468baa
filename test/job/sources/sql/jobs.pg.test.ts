/** Jobs from each dialect into the sink's Postgres. */
import { afterAll, beforeAll } from 'vitest';
import { type Mariadb, startMariadb } from '../../../support/mariadb.ts';
import { describeActions } from './support/every-action.ts';
import { mariadbDatabase } from './support/mariadb.ts';
import { postgresDatabase } from './support/postgres.ts';
import { sqliteDatabase } from './support/sqlite.ts';

let server: Mariadb;
beforeAll(async () => {
  server = await startMariadb();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

describeActions('Postgres', postgresDatabase);
describeActions('SQLite', sqliteDatabase);
describeActions('MariaDB', () => mariadbDatabase(server));
