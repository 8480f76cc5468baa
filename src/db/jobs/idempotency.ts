/** `Idempotency-Key`s: keeps each answer for 24 hours, for the same principal only. */
import { type Selectable, sql } from 'kysely';
import type { Db, Schema, Tx } from '../schema.ts';

/** A key with a hash of the request that used it. */
export type Idempotency = {
  /** The caller's id: it stays the same when its display name changes. */
  readonly principal: string;
  readonly key: string;
  readonly bodyHash: string;
};

export type StoredKey = Selectable<Schema['idempotency_keys']>;

/** Two requests with one key queue here, so that the second sees what the first stored. */
export async function findKey(
  tx: Tx,
  of: Pick<Idempotency, 'principal' | 'key'>,
): Promise<StoredKey | undefined> {
  const lock = `${of.principal}\n${of.key}`;
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${lock}, 0))`.execute(tx);
  await sql`DELETE FROM idempotency_keys
    WHERE principal = ${of.principal} AND key = ${of.key}
      AND created_at < now() - interval '24 hours'`.execute(tx);
  return await tx
    .selectFrom('idempotency_keys')
    .selectAll()
    .where('principal', '=', of.principal)
    .where('key', '=', of.key)
    .executeTakeFirst();
}

/** Whether an answer is kept under the key: a request that repeats it is not refused anew. */
export async function isKnownKey(db: Db, of: Idempotency | undefined): Promise<boolean> {
  if (!of) return false;
  return await db.transaction().execute(async (tx) => (await findKey(tx, of)) !== undefined);
}

/**
 * Keeps the answer under its key: a job, or the answer to a batch. Call it in the transaction that looked for the
 * key.
 */
export async function storeKey(
  tx: Tx,
  { principal, key, bodyHash }: Idempotency,
  answered:
    | { readonly job_id: number; readonly deduplicated: boolean }
    | { readonly job_id: null; readonly deduplicated: false; readonly answer: string },
): Promise<void> {
  await tx
    .insertInto('idempotency_keys')
    .values({ principal, key, body_hash: bodyHash, ...answered })
    .execute();
}
