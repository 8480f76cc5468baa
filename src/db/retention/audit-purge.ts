/** Deletes the oldest lines of the audit, and audits the deletion. No other code deletes audit lines. */
import { sql } from 'kysely';
import { audit, type By } from '../access/audit.ts';
import type { Db } from '../schema.ts';

const ROWS = 1_000;

/**
 * Deletes some of the lines from before a time; safe to repeat.
 * @returns how many; 0 when none are left
 */
export async function purgeAudit(db: Db, before: Date, by: By): Promise<number> {
  return await db.transaction().execute(async (tx) => {
    // The table's trigger refuses deletions without this setting.
    await sql`SELECT set_config('syncrator.audit_purged_before', ${before.toISOString()}, true)`.execute(tx);
    const { rows } = await sql<{ lines: number; told: number }>`
      WITH gone AS (DELETE FROM audit WHERE id IN (
        SELECT id FROM (SELECT id, at FROM audit ORDER BY id LIMIT ${ROWS}) AS oldest WHERE at < ${before})
        RETURNING verb)
      SELECT count(*)::int AS lines, (count(*) FILTER (WHERE verb <> 'purge'))::int AS told FROM gone`.execute(
      tx,
    );
    const { lines, told } = rows[0] ?? { lines: 0, told: 0 };
    // Deleting only lines about purges is not audited: such lines would follow each other for ever.
    if (told > 0)
      await audit(tx, {
        ...by,
        verb: 'purge',
        object: 'audit',
        detail: { before: before.toISOString(), lines },
      });
    return lines;
  });
}
