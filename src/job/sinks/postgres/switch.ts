/** What makes a load live, or unmakes it: comparison, switch, drop, rollback. Watermarks move with their tables. */

import type { PoolClient } from 'pg';
import { JobError } from '../../job-error.ts';
import type { Comparison, Load } from '../sink.ts';
import { inTransaction } from './connect.ts';
import type { Sinks } from './load.ts';
import { claim } from './state.ts';
import { type Tables, tableExists } from './tables.ts';

const NO_LOAD =
  'loading_watermark = NULL, loading_job_id = NULL, load_id = NULL, loading_cursor = NULL, loading_done = 0';

/** Reads only. Where nothing is live, everything is added. */
export async function compareLoad({ pool, tables }: Sinks): Promise<Comparison> {
  return await inTransaction(
    pool,
    async (client) => {
      const live = (await tableExists(client, tables.live))
        ? tables.live
        : `(SELECT * FROM ${tables.loading} LIMIT 0)`;
      const { rows } = await client.query<Record<keyof Comparison, string>>(
        `SELECT count(l.id) AS live,
                count(*) FILTER (WHERE l.id IS NULL) AS added,
                count(*) FILTER (WHERE n.id IS NULL) AS removed,
                count(*) FILTER (WHERE l.id IS NOT NULL AND n.id IS NOT NULL
                  AND (l.updated_at, l.record) IS DISTINCT FROM (n.updated_at, n.record)) AS updated
         FROM ${tables.loading} n FULL JOIN ${live} l ON l.id = n.id`,
      );
      const row = rows[0];
      return {
        live: Number(row?.live),
        added: Number(row?.added),
        updated: Number(row?.updated),
        removed: Number(row?.removed),
      };
    },
    'BEGIN READ ONLY',
  );
}

export async function switchLoad({ pool, tables, writer }: Sinks, load: Load): Promise<void> {
  await pool.query(`ANALYZE ${tables.loading}`);
  await inTransaction(pool, async (client) => {
    await client.query(`DROP TABLE IF EXISTS ${tables.previous}`);
    await client.query(`ALTER TABLE IF EXISTS ${tables.live} RENAME TO ${tables.previous}`);
    await client.query(`ALTER TABLE ${tables.loading} RENAME TO ${tables.live}`);
    await claim(client, writer, {
      changes: `previous_watermark = live_watermark, live_watermark = loading_watermark, ${NO_LOAD}`,
      only: 'load_id = $3',
      values: [load.id],
    });
  });
}

export async function dropLoad({ pool, tables, writer }: Sinks, load: Load): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query(`DROP TABLE IF EXISTS ${tables.loading}`);
    await claim(client, writer, { changes: NO_LOAD, only: 'load_id = $3', values: [load.id] });
  });
}

export async function rollback({ pool, tables, writer }: Sinks): Promise<void> {
  await inTransaction(pool, async (client) => {
    if (!(await bothExist(client, tables))) {
      throw new JobError('nothingToRollBack', `${tables.name} has no earlier data to go back to`);
    }
    await client.query(`ALTER TABLE ${tables.live} RENAME TO ${tables.aside}`);
    await client.query(`ALTER TABLE ${tables.previous} RENAME TO ${tables.live}`);
    await client.query(`ALTER TABLE ${tables.aside} RENAME TO ${tables.previous}`);
    await claim(client, writer, {
      changes: 'live_watermark = previous_watermark, previous_watermark = live_watermark',
    });
  });
}

async function bothExist(client: PoolClient, tables: Tables): Promise<boolean> {
  return (await tableExists(client, tables.live)) && (await tableExists(client, tables.previous));
}
