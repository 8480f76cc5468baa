/** Pages of the records of a loss, in the byte order of their ids. */
import { sql } from 'kysely';
import type { Db } from '../schema.ts';

export type LossRecord = {
  readonly id: string;
  readonly missing_since: Date;
  readonly last_seen: Date | null;
  readonly updated_at: Date | null;
  readonly record: Readonly<Record<string, unknown>> | null;
  readonly pinned_until: Date | null;
};

/**
 * @param of.after only records behind this id
 * @param of.part only ids that contain this text
 */
export async function listRecords(
  db: Db,
  of: { lossId: number; after?: string | undefined; part?: string | undefined; limit: number },
): Promise<LossRecord[]> {
  const { lossId, after = '', part = '', limit } = of;
  const { rows } = await sql<LossRecord>`
    SELECT r.id, r.missing_since, r.last_seen, r.updated_at, r.record,
      (SELECT p.until FROM loss_pins p WHERE p.env = l.env AND p.target = l.target AND p.id = r.id) AS pinned_until
    FROM losses l JOIN loss_records r ON r.upload_id = l.upload_id
    WHERE l.id = ${lossId} AND r.id > ${after} AND (${part} = '' OR strpos(r.id, ${part}) > 0)
    ORDER BY r.id LIMIT ${limit}`.execute(db);
  return rows;
}
