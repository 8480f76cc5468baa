/** Jobs from each dialect into the sink's Postgres. */
import { describeActions } from './support/every-action.ts';
import { postgresDatabase } from './support/postgres.ts';
import { sqliteDatabase } from './support/sqlite.ts';

describeActions('Postgres', postgresDatabase);
describeActions('SQLite', sqliteDatabase);
