/** The ids that a removal may remove: frozen with its approval, in blocks, and read by its job in pages. */
import { sql } from 'kysely';
import type { Key } from '../../domain/job.ts';
import type { Db, Tx } from '../schema.ts';
import { readSet } from './set-pages.ts';

/** Ids of one block; a page holds at most as many. */
export const BLOCK = 1000;
/** A page begins within one block and ends within the next. */
const BLOCKS_OF_PAGE = 2;

/** Freezes the waiting ids of a set, without the pinned ones. */
export async function freezeIds(
  tx: Tx,
  { removal, uploadId, env, target }: Key & { removal: string; uploadId: number },
): Promise<void> {
  let waiting: string[] = [];
  const store = async (ids: readonly string[]): Promise<void> => {
    await sql`
      INSERT INTO loss_removal_ids (removal, last_id, ids)
      VALUES (${removal}::uuid, ${ids.at(-1)}, ${ids}::text[])`.execute(tx);
  };
  for await (const rows of readSet(tx, { env, target, uploadId, uploadBefore: null })) {
    waiting.push(...rows.filter(({ pinned }) => !pinned).map(({ id }) => id));
    while (waiting.length >= BLOCK) {
      await store(waiting.slice(0, BLOCK));
      waiting = waiting.slice(BLOCK);
    }
  }
  if (waiting.length > 0) await store(waiting);
}

/**
 * A page of the approved ids of a key. An answer of keep that came later counts too: it only ever saves records.
 * @returns undefined unless this removal is of the key
 */
export async function readApprovedIds(
  db: Db,
  of: Key & { removal: string; after: string; limit: number },
): Promise<{ ids: string[]; next: string | null } | undefined> {
  const { removal, env, target, after, limit } = of;
  const known = await db
    .selectFrom('loss_removals as r')
    .innerJoin('losses as l', 'l.id', 'r.loss_id')
    .select('r.uid')
    .where('r.uid', '=', removal)
    .where('l.env', '=', env)
    .where('l.target', '=', target)
    .executeTakeFirst();
  if (!known) return undefined;
  const { rows } = await sql<{ id: string; pinned: boolean }>`
    SELECT i.id, EXISTS (
      SELECT FROM loss_pins p WHERE p.env = ${env} AND p.target = ${target} AND p.id = i.id) AS pinned
    FROM (SELECT ids FROM loss_removal_ids WHERE removal = ${removal}::uuid AND last_id > ${after}
        ORDER BY last_id LIMIT ${BLOCKS_OF_PAGE}) AS b
      CROSS JOIN LATERAL unnest(b.ids) AS i(id)
    WHERE i.id > ${after} COLLATE "C" ORDER BY i.id COLLATE "C" LIMIT ${limit + 1}`.execute(db);
  const page = rows.slice(0, limit);
  return {
    ids: page.filter(({ pinned }) => !pinned).map(({ id }) => id),
    next: rows.length > limit ? (page.at(-1)?.id ?? null) : null,
  };
}

/** True while the loss waits with exactly the records that this removal was approved for, and had no others since. */
export async function isStillApproved(db: Db, removal: string): Promise<boolean> {
  const found = await db
    .selectFrom('loss_removals as r')
    .innerJoin('losses as l', 'l.id', 'r.loss_id')
    .select('r.uid')
    .where('r.uid', '=', removal)
    .where('l.status', '=', 'waiting')
    .whereRef('l.digest', '=', 'r.digest')
    .whereRef('l.changed_at', '<=', 'r.at')
    .executeTakeFirst();
  return found !== undefined;
}
