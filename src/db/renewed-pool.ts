/** Pool that drops connections once an error shows them broken: one of them, or all made so far. */
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type pg from 'pg';

/** `renew all` after a failover: each earlier connection may still lead to the old server, which answers. */
export type Verdict = 'keep' | 'drop' | 'renew all';

export function renewedPool(pool: pg.Pool, verdictOn: (error: unknown) => Verdict): PostgresPool {
  let renewals = 0;
  const madeAt = new WeakMap<pg.PoolClient, number>();
  pool.on('connect', (client) => madeAt.set(client, renewals));
  const isOld = (client: pg.PoolClient) => madeAt.get(client) !== renewals;

  function lend(client: pg.PoolClient): PostgresPoolClient {
    let isBroken = false;
    const query = async (text: string, values: unknown[]) => {
      try {
        return await client.query(text, values);
      } catch (error) {
        const verdict = verdictOn(error);
        isBroken ||= verdict !== 'keep';
        if (verdict === 'renew all' && !isOld(client)) renewals += 1;
        throw error;
      }
    };
    const release = (destroy?: boolean) => client.release(destroy === true || isBroken || isOld(client));
    // Kysely's overload for cursors is left out: no query of ours streams.
    return { query, release } as unknown as PostgresPoolClient;
  }

  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      for (;;) {
        const client = await pool.connect();
        if (!isOld(client)) return lend(client);
        client.release(true);
      }
    },
  };
}
