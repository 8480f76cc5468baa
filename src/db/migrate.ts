/** Brings a database to the newest schema; safe when several processes start at once (kysely's advisory lock). */
import { type Migration, Migrator } from 'kysely/migration';
import * as initial from './migrations/0001-initial.ts';
import * as live from './migrations/0002-live.ts';
import type { Db } from './schema.ts';

const MIGRATIONS: Record<string, Migration> = { '0001-initial': initial, '0002-live': live };

/** @throws the error of the migration that failed; the ones before it stay applied */
export async function migrate(db: Db): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(MIGRATIONS) } });
  const { error, results } = await migrator.migrateToLatest();
  if (error === undefined) return;
  const failed = results?.find((result) => result.status === 'Error')?.migrationName ?? 'migrations';
  throw new Error(`database: ${failed} failed`, { cause: error });
}

/** This installation's own uuid; every Kubernetes Job and run folder of ours carries it. */
export async function readInstallation(db: Db): Promise<string> {
  const row = await db.selectFrom('installation').select('uuid').executeTakeFirstOrThrow();
  return row.uuid;
}
