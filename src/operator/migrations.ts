/** `db status` and `db up`: lists migrations and applies pending ones. */
import { type Format, print, tableOf } from '../terminal/output.ts';
import { listMigrations, type MigrationState } from '../db/migrate.ts';
import type { Db } from '../db/schema.ts';
import { NEWER_DATABASE, type Prepared, prepareSchema } from '../db/upgrade.ts';
import { withDatabase } from './database.ts';

const LOOKS = { applied: 'green', pending: 'yellow', unknown: 'red' } as const;

export async function status(format: Format): Promise<void> {
  const all = await withDatabase(listMigrations);
  print(format, all, () =>
    [tableOf(['MIGRATION', 'STATE', 'APPLIED'], all.map(rowOf), ''), ...hints(all)].join('\n'),
  );
}

/** Succeeds on a newer database with nothing pending: that is the state after a downgrade. */
export async function up(format: Format): Promise<void> {
  const prepared = await withDatabase(prepare);
  const { applied, newer } = prepared;
  print(format, prepared, () =>
    [
      ...(applied.length === 0 ? ['nothing was pending'] : applied.map((name) => `applied ${name}`)),
      ...(newer.length === 0 ? [] : [NEWER_DATABASE]),
    ].join('\n'),
  );
}

/** Migrates as api and worker do, and reports each wait for a lock. */
export async function prepare(db: Db, url: string): Promise<Prepared> {
  return await prepareSchema(
    db,
    url,
    (what) => void process.stderr.write(`${what}: waiting for a table lock; retrying\n`),
  );
}

function rowOf({ name, state, appliedAt }: MigrationState) {
  return [name, { text: state, look: LOOKS[state] }, appliedAt ?? ''];
}

function hints(all: readonly MigrationState[]): string[] {
  const has = (wanted: MigrationState['state']) => all.some(({ state }) => state === wanted);
  return [
    ...(has('pending') ? ['to apply pending migrations: syncrator db up'] : []),
    ...(has('unknown')
      ? ['a newer version has migrated the database: api and worker of the version before it still run']
      : []),
  ];
}
