/** Reads the foreign keys of other tables onto the live table. */
import { escapeIdentifier, type PoolClient } from 'pg';
import { JobError } from '../../job-error.ts';

export type ForeignKey = {
  readonly name: string;
  /** Quoted, with its schema. */
  readonly from: string;
  readonly columns: readonly string[];
  /** Referenced columns of the live table. */
  readonly references: readonly string[];
  /** Effect of a removal: refused by the foreign key, or it changes rows that no rollback restores. */
  readonly onDelete: 'refuses' | 'changes';
};

/** @throws JobError `sinkPermission` for a table that the role may not read */
export async function readForeignKeys(client: PoolClient, oid: number): Promise<ForeignKey[]> {
  const { rows } = await client.query<{
    name: string;
    from: string;
    columns: string[];
    references: string[];
    on_delete: string;
    may: boolean;
    role: string;
  }>(
    `SELECT conname AS name, conrelid::regclass::text AS "from", confdeltype AS on_delete,
       has_table_privilege(conrelid, 'SELECT') AS may, current_user AS role,
       ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k (n, nth) JOIN pg_attribute ON attrelid = conrelid AND attnum = n ORDER BY nth) AS columns,
       ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY AS k (n, nth) JOIN pg_attribute ON attrelid = confrelid AND attnum = n ORDER BY nth) AS "references"
     FROM pg_constraint WHERE contype = 'f' AND confrelid = $1 AND conparentid = 0 ORDER BY conname`,
    [oid],
  );
  const hidden = rows.find(({ may }) => !may);
  if (hidden) {
    throw new JobError(
      'sinkPermission',
      `sink: ${hidden.from} refers to the sink's table by ${hidden.name}, and the role may not read it; run: ` +
        `GRANT SELECT ON ${hidden.from} TO ${escapeIdentifier(hidden.role)}`,
    );
  }
  return rows.map(({ name, from, columns, references, on_delete: action }) => ({
    name,
    from,
    columns,
    references,
    onDelete: action === 'a' || action === 'r' ? 'refuses' : 'changes',
  }));
}
