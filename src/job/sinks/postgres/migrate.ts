/**
 * Changes the columns of the live table to those of SINK_COLUMNS, as a part of a sync. New columns get a name of their own
 * before the sync's transaction, which fills them; at its end they get their right names, and columns that may go are
 * dropped. So readers see all of it at once, and wait for two moments only.
 */
import { escapeIdentifier, type PoolClient } from 'pg';
import { JobError } from '../../job-error.ts';
import { fillColumns } from './fill-columns.ts';
import { createLiveTable, type LiveTable } from './live-table.ts';
import type { Places } from './places.ts';
import { inWriteTransaction, type Session } from './session.ts';
import { storeColumns } from './stored-columns.ts';
import { withTableLock } from './table-lock.ts';

/** @throws JobError `failed` for a job that cannot change the columns */
export function refuseMigration({ shown }: Places, { migration }: Pick<LiveTable, 'migration'>): void {
  const words = migration?.words ?? [];
  if (words.length === 0) return;
  throw new JobError(
    'failed',
    `the columns of ${shown} are not those of SINK_COLUMNS and SINK_RECORD: a sync ${words.join('; ')}. Run a sync first; nothing was changed`,
  );
}

/** A column of the owner becomes ours only without values, since no rollback could restore them. @throws JobError `notConfigured` */
export async function refuseFilled(client: PoolClient, { shown }: Places, table: LiveTable): Promise<void> {
  for (const name of table.migration?.adopted ?? []) {
    const column = escapeIdentifier(name);
    const { rows } = await client.query<{ some: boolean }>(
      `SELECT EXISTS (SELECT FROM ${table.quoted} WHERE ${column} IS NOT NULL) AS some`,
    );
    if (rows[0]?.some !== true) continue;
    throw new JobError(
      'notConfigured',
      `${shown} has a column ${column} with values that Syncrator did not write, and SINK_COLUMNS lists it; ` +
        'rename that column, or rename the field by FIELDS; nothing was touched',
    );
  }
}

/** The answer to a COMMIT was lost. */
async function isMigrated(client: PoolClient, table: LiveTable): Promise<boolean> {
  const { migration } = table;
  if (migration === null) return false;
  const there = await namesOf(client, table);
  const needed = [...migration.added.map(({ stored }) => stored), ...migration.dropped];
  return !needed.every((name) => there.has(name));
}

/** Adds the new columns, which readers do not know yet. @returns the session with the columns that the sync writes */
export async function beginMigration(session: Session): Promise<Session> {
  const { table } = session;
  const { migration } = table;
  if (migration === null) return session;
  const { added, leftovers } = migration;
  await inWriteTransaction(session, async (client) => {
    const there = await namesOf(client, table);
    const parts = [
      ...leftovers.filter((name) => there.has(name)).map((name) => `DROP COLUMN ${escapeIdentifier(name)}`),
      ...added
        .filter(({ stored }) => !there.has(stored))
        .map(({ stored, type }) => `ADD COLUMN ${escapeIdentifier(stored)} ${type}`),
    ];
    if (parts.length > 0)
      await withTableLock(client, session, [`ALTER TABLE ${table.quoted} ${parts.join(', ')}`]);
  });
  return { ...session, table: { ...table, shape: migration.during } };
}

async function namesOf(client: PoolClient, { oid }: LiveTable): Promise<Set<string>> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT attname::text AS name FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped',
    [oid],
  );
  return new Set(rows.map(({ name }) => name));
}

/** Names the new columns and drops the old ones: the last statements of the sync, since readers wait for them. */
export async function finishMigration(client: PoolClient, session: Session): Promise<void> {
  const { table, options } = session;
  const { migration } = table;
  await storeColumns(client, session, options.columns);
  if (migration === null) return;
  const { added, dropped } = migration;
  const statements = [
    ...dropped.map((name) => `ALTER TABLE ${table.quoted} DROP COLUMN ${escapeIdentifier(name)}`),
    ...added.map(
      ({ stored, name }) =>
        `ALTER TABLE ${table.quoted} RENAME COLUMN ${escapeIdentifier(stored)} TO ${escapeIdentifier(name)}`,
    ),
  ];
  if (statements.length > 0) await withTableLock(client, session, statements);
}

/** Why no rollback goes back to before the migration; null: one does. */
export function wallOf({ migration }: Pick<LiveTable, 'migration'>): string | null {
  if (migration === null || migration.keepsHistory) return null;
  return 'its columns changed, and without a column record nothing holds their earlier values';
}

/** For items, which have no listing: in one transaction. @returns the table with the columns of SINK_COLUMNS */
export async function migrateAlone(
  session: Session,
  more: (client: PoolClient, oid: number | null) => Promise<void>,
): Promise<LiveTable> {
  const during = await beginMigration(session);
  const { table } = during;
  await inWriteTransaction(
    during,
    async (client) => {
      const { rows } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
        table.quoted,
      ]);
      const oid = rows[0]?.there === true ? null : await createLiveTable(client, table);
      const isMade = await isMigrated(client, table);
      if (!isMade) await fillColumns(client, during, null);
      await more(client, oid);
      return isMade;
    },
    async (client, isMade) => {
      if (!isMade) await finishMigration(client, during);
    },
  );
  return { ...table, shape: table.migration?.after ?? table.shape, migration: null };
}
