/** The database's migrations: which are applied, and applying the others. */
import { type Format, print, tableOf } from '../cli/output.ts';
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

/** On a newer database there is nothing to do, which is no fault: a release that was taken back is upgraded again by it. */
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

/** The schema brought up to date as api and worker do it, telling who is waited for. */
export async function prepare(db: Db, url: string): Promise<Prepared> {
  return await prepareSchema(
    db,
    url,
    (what) => void process.stderr.write(`${what}: somebody works there; trying again\n`),
  );
}

function rowOf({ name, state, appliedAt }: MigrationState) {
  return [name, { text: state, look: LOOKS[state] }, appliedAt ?? ''];
}

function hints(all: readonly MigrationState[]): string[] {
  const has = (wanted: MigrationState['state']) => all.some(({ state }) => state === wanted);
  return [
    ...(has('pending') ? ['apply what is pending: syncrator db up'] : []),
    ...(has('unknown')
      ? [
          'the database is newer than this version: its api and worker work on it as far as the version before it may',
        ]
      : []),
  ];
}
