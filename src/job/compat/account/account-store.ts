/**
 * Stores the account's rows in Postgres. Each write is one transaction that ends with the fence check. It locks
 * the link table against other writers, so that a warehouse without links stays without links until it is
 * removed.
 */
import type { Pool, PoolClient } from 'pg';
import { endConnections } from '../../postgres-end.ts';
import {
  createSinkPool,
  inTransaction,
  OWN_TABLES,
  OWN_TABLES_READ_ONLY,
} from '../../sinks/postgres/connect.ts';
import type { Account } from './account-api.ts';
import { type AccountWriter, checkAccountFence, prepareFence } from './account-fence.ts';
import {
  type AccountTables,
  accountTables,
  prepareTables,
  USER_FIELDS,
  WAREHOUSE_FIELDS,
} from './account-tables.ts';

/** Rows that an upsert changed; equal rows are not written. */
export type Written = { readonly added: number; readonly updated: number };

export type Removals = {
  /** Links of the user in the table. */
  readonly live: number;
  /** Warehouses that the user is no longer linked to upstream. */
  readonly gone: readonly number[];
};

export type AccountStore = {
  /** Creates missing tables and takes the user's fence. @throws JobError `fenced` if a newer job has written */
  open(userId: number): Promise<void>;
  upsert(account: Account): Promise<Written>;
  /** Reads only. */
  findRemovals(account: Account): Promise<Removals>;
  /**
   * Unlinks the user from these warehouses and removes those without any link.
   * @returns how many of each
   */
  remove(userId: number, gone: readonly number[]): Promise<{ unlinked: number; removed: number }>;
  close(): Promise<void>;
};

/** Connects on first use. @param jobId null for a stand-alone run, which is never refused */
export function createAccountStore(
  { sinkUrl, schema }: { sinkUrl: string; schema: string },
  jobId: number | null,
): AccountStore {
  const pool = createSinkPool(sinkUrl, 1);
  const tables = accountTables(schema);
  /** One fence per user: jobs of two accounts may write concurrently. */
  const writer = (userId: number): AccountWriter => ({ account: `${schema}.users/${userId}`, jobId });
  return {
    open: (userId) =>
      // A transaction of its own, so that an older running job fails at once instead of waiting for us.
      inTransaction(pool, OWN_TABLES, async (client) => {
        await prepareFence(client, writer(userId));
        await prepareTables(client, tables);
        await checkAccountFence(client, writer(userId));
      }),
    upsert: (account) =>
      inLinkTransaction(pool, tables, async (client) => {
        const user = await upsertRows(client, tables.users, USER_FIELDS, [account.user]);
        const warehouses = await upsertRows(client, tables.warehouses, WAREHOUSE_FIELDS, account.warehouses);
        await client.query(
          `INSERT INTO ${tables.users_warehouses} (user_id, warehouse_id)
           SELECT $1, warehouse_id FROM unnest($2::bigint[]) AS warehouse_id ON CONFLICT DO NOTHING`,
          [account.user.id, account.warehouses.map(({ id }) => id)],
        );
        await checkAccountFence(client, writer(account.user.id));
        return { added: user.added + warehouses.added, updated: user.updated + warehouses.updated };
      }),
    findRemovals: ({ user, warehouses }) =>
      inTransaction(pool, OWN_TABLES_READ_ONLY, async (client) => {
        const { rows } = await client.query<{ warehouse_id: string }>(
          `SELECT warehouse_id FROM ${tables.users_warehouses} WHERE user_id = $1 ORDER BY warehouse_id`,
          [user.id],
        );
        const linked = rows.map((row) => Number(row.warehouse_id));
        const upstream = new Set(warehouses.map(({ id }) => id));
        return { live: linked.length, gone: linked.filter((id) => !upstream.has(id)) };
      }),
    remove: (userId, gone) =>
      inLinkTransaction(pool, tables, async (client) => {
        const unlinked = await client.query(
          `DELETE FROM ${tables.users_warehouses} WHERE user_id = $1 AND warehouse_id = ANY ($2::bigint[])`,
          [userId, gone],
        );
        const removed = await client.query(
          `DELETE FROM ${tables.warehouses} w WHERE id = ANY ($1::bigint[])
           AND NOT EXISTS (SELECT FROM ${tables.users_warehouses} l WHERE l.warehouse_id = w.id)`,
          [gone],
        );
        await checkAccountFence(client, writer(userId));
        return { unlinked: unlinked.rowCount ?? 0, removed: removed.rowCount ?? 0 };
      }),
    close: () => endConnections(pool),
  };
}

async function inLinkTransaction<T>(
  pool: Pool,
  tables: AccountTables,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  return await inTransaction(pool, OWN_TABLES, async (client) => {
    // The time columns of soukosync have no zone and hold UTC.
    await client.query(`SET LOCAL TIME ZONE 'UTC'`);
    await client.query(`LOCK TABLE ${tables.users_warehouses} IN SHARE ROW EXCLUSIVE MODE`);
    return await work(client);
  });
}

async function upsertRows(
  client: PoolClient,
  table: string,
  fields: readonly string[],
  rows: readonly { readonly id: number }[],
): Promise<Written> {
  const names = fields.join(', ');
  const of = (row: string): string => fields.map((field) => `${row}.${field}`).join(', ');
  const { rows: counts } = await client.query<{ added: string; updated: string }>(
    `WITH written AS (
       INSERT INTO ${table} AS t (id, ${names}, inserted_at, updated_at)
       SELECT id, ${names}, now(), now()
       FROM jsonb_to_recordset($1::jsonb) AS incoming (id bigint, ${fields.map((field) => `${field} text`).join(', ')})
       ON CONFLICT (id) DO UPDATE SET (${names}, updated_at) = ROW (${of('excluded')}, now())
       WHERE (${of('t')}) IS DISTINCT FROM (${of('excluded')})
       RETURNING (xmax = 0) AS inserted
     )
     SELECT count(*) FILTER (WHERE inserted) AS added, count(*) FILTER (WHERE NOT inserted) AS updated FROM written`,
    [JSON.stringify(rows)],
  );
  return { added: Number(counts[0]?.added), updated: Number(counts[0]?.updated) };
}
