/** Refuses a change of columns that the role may not make, or that would stop subscribers. */
import { escapeIdentifier } from 'pg';
import { JobError } from '../../job-error.ts';
import type { Migration } from './plan-migration.ts';

/** Only the owner of a table may change its columns. */
export function refuseWithoutOwnership(table: string, migration: Migration): void {
  const parts = partsOf(migration);
  if (parts.length === 0) return;
  throw new JobError(
    'sinkPermission',
    `sink: only the owner of ${table} may change its columns; run as the owner: ALTER TABLE ${table} ${parts.join(', ')}`,
  );
}

/**
 * A sync fills new columns under names of their own, and its changes reach subscribers under these: one that lacks them
 * stops for good.
 */
export function refusePublished(table: string, published: string, migration: Migration): void {
  if (migration.added.length === 0) return;
  throw new JobError(
    'notConfigured',
    `${table} is published by ${published}, and a subscriber stops at a column that it lacks, so its owner adds the columns; ` +
      `run at each subscriber, and then here: ALTER TABLE ${table} ${partsOf(migration).join(', ')}. Then a sync fills them. ` +
      'Nothing was touched',
  );
}

function partsOf({ added, dropped }: Migration): string[] {
  return [
    ...dropped.map((name) => `DROP COLUMN ${escapeIdentifier(name)}`),
    ...added.map(({ name, type }) => `ADD COLUMN ${escapeIdentifier(name)} ${type}`),
  ];
}
