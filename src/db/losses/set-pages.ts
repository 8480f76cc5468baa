/** Reads the records of an upload page by page: a set may hold half a million, and each statement must stay short. */
import { sql } from 'kysely';
import type { Key } from '../../domain/job.ts';
import type { Tx } from '../schema.ts';

/** Rows of one statement: well within the time that a request may wait for one, also on a busy machine. */
export const ROWS = 5_000;

export type SetRow = {
  readonly id: string;
  /** A person keeps it for now. */
  readonly pinned: boolean;
  /** The upload before lacks it. */
  readonly is_new: boolean;
};

/** In the byte order of the ids. Each row looks into the other tables by itself: their statistics may be minutes old. */
export async function* readSet(
  tx: Tx,
  { env, target, uploadId, uploadBefore }: Key & { uploadId: number; uploadBefore: number | null },
): AsyncGenerator<readonly SetRow[]> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const { rows }: { rows: SetRow[] } = await sql<SetRow>`
      SELECT id,
        (SELECT true FROM loss_pins p WHERE p.env = ${env} AND p.target = ${target} AND p.id = r.id) IS NOT NULL AS pinned,
        (SELECT true FROM loss_records b WHERE b.upload_id = ${uploadBefore}::bigint AND b.id = r.id) IS NULL AS is_new
      FROM loss_records r WHERE upload_id = ${uploadId} AND id > ${after} ORDER BY id LIMIT ${ROWS}`.execute(
      tx,
    );
    if (rows.length > 0) yield rows;
    after = rows.length < ROWS ? undefined : rows.at(-1)?.id;
  }
}
