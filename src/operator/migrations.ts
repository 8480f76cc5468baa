/** The database's migrations: which are applied, and applying the others. */
import { type Format, print, tableOf } from '../cli/output.ts';
import { listMigrations, type MigrationState } from '../db/migrate.ts';
import { upgradeSchema } from '../db/upgrade.ts';
import { withDatabase } from './database.ts';

const LOOKS = { applied: 'green', pending: 'yellow', unknown: 'red' } as const;

export async function status(format: Format): Promise<void> {
  const all = await withDatabase(listMigrations);
  print(format, all, () =>
    [tableOf(['MIGRATION', 'STATE', 'APPLIED'], all.map(rowOf), ''), ...hints(all)].join('\n'),
  );
}

export async function up(format: Format): Promise<void> {
  const applied = await withDatabase((_, url) =>
    upgradeSchema(url, (what) => void process.stderr.write(`${what}: somebody works there; trying again\n`)),
  );
  print(format, { applied }, () =>
    applied.length === 0 ? 'nothing was pending' : applied.map((name) => `applied ${name}`).join('\n'),
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
