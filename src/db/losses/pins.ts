/** Pins: records that a person keeps for some days, during which they are not proposed for removal. */
import { sql } from 'kysely';
import type { Key } from '../../domain/job.ts';
import type { Db, Tx } from '../schema.ts';
import { lockWaiting } from './losses.ts';
import { ROWS } from './set-pages.ts';
import { recountSet } from './waiting-set.ts';

/** Pins of one answer, which keeps the ids with it. */
type Pins = Key & {
  /** The row of `loss_keeps`. */
  readonly keep: number;
  readonly days: number;
};

const storeIds = (keep: number) => sql`
  INSERT INTO loss_keep_ids (keep, last_id, ids)
  SELECT ${keep}::bigint, max(id), array_agg(id ORDER BY id) FROM pinned HAVING count(*) > 0`;

/** Pins records of a set; pinning one again moves its end. */
export async function pin(tx: Tx, of: Pins & { ids: readonly string[] }): Promise<void> {
  await sql`
    WITH pinned AS (
      INSERT INTO loss_pins (env, target, id, until)
      SELECT ${of.env}, ${of.target}, id, now() + make_interval(days => ${of.days})
      FROM unnest(${of.ids}::text[]) AS given(id)
      ON CONFLICT (env, target, id) DO UPDATE SET until = excluded.until
      RETURNING id
    )
    ${storeIds(of.keep)}`.execute(tx);
}

/** Pins every record of a set that waits. */
export async function pinAll(tx: Tx, of: Pins & { uploadId: number }): Promise<void> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const { rows }: { rows: { last: string | null }[] } = await sql<{ last: string | null }>`
      WITH page AS (
        SELECT id FROM loss_records WHERE upload_id = ${of.uploadId} AND id > ${after} ORDER BY id LIMIT ${ROWS}
      ), pinned AS (
        INSERT INTO loss_pins (env, target, id, until)
        SELECT ${of.env}, ${of.target}, id, now() + make_interval(days => ${of.days}) FROM page
        ON CONFLICT (env, target, id) DO NOTHING
        RETURNING id
      ), told AS (${storeIds(of.keep)})
      SELECT max(id) AS last FROM page`.execute(tx);
    after = rows[0]?.last ?? undefined;
  }
}

/** The first of these ids that the set lacks. */
export async function findUnknown(
  tx: Tx,
  { uploadId, ids }: { uploadId: number; ids: readonly string[] },
): Promise<string | undefined> {
  const { rows } = await sql<{ id: string }>`
    SELECT given.id FROM unnest(${ids}::text[]) WITH ORDINALITY AS given(id, nth)
    WHERE (SELECT true FROM loss_records r WHERE r.upload_id = ${uploadId} AND r.id = given.id) IS NULL
    ORDER BY nth LIMIT 1`.execute(tx);
  return rows[0]?.id;
}

/** Returns the records whose pins are over to their sets. Several workers at once are harmless. */
export async function returnPinned(db: Db): Promise<void> {
  const { rows } = await sql<Key>`
    SELECT DISTINCT env, target FROM loss_pins WHERE until <= now()`.execute(db);
  for (const key of rows) await db.transaction().execute(async (tx) => await returnPinnedOf(tx, key));
}

async function returnPinnedOf(tx: Tx, { env, target }: Key): Promise<void> {
  const loss = await lockWaiting(tx, { env, target });
  for (let deleted = 1; deleted > 0; ) {
    const result = await sql`
      DELETE FROM loss_pins WHERE env = ${env} AND target = ${target} AND id IN (
        SELECT id FROM loss_pins WHERE env = ${env} AND target = ${target} AND until <= now() LIMIT ${ROWS})`.execute(
      tx,
    );
    deleted = Number(result.numAffectedRows ?? 0n);
  }
  if (loss) await recountSet(tx, loss, 'the days of kept records are over');
}
