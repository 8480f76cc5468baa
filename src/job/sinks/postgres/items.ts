/**
 * Items in sink `postgres`: the live table, changed in place, with the log of the revisions applied beside it. Each item
 * is brought in a transaction of its own that ends with the fence.
 */

import { DatabaseError, escapeIdentifier } from 'pg';
import { JobError } from '../../job-error.ts';
import { type Items, type KnownItem, UnfitItemError } from '../items.ts';
import { inTransaction } from './connect.ts';
import type { Sinks } from './load.ts';
import { claim } from './state.ts';
import { createTable, tableExists } from './tables.ts';

/** SQLSTATE class 22, data exception: such as U+0000 or half a surrogate pair within jsonb. */
const DATA_EXCEPTION = '22';

export function createItems({ pool, tables, writer }: Sinks): Items {
  const log = escapeIdentifier(`${tables.name}__commits`);

  async function read(where: string, values: unknown[]): Promise<Map<string, KnownItem>> {
    return await inTransaction(pool, async (client) => {
      const { rows } = await client.query<KnownItem & { id: string }>(
        `SELECT id, coalesce(record->'commit'->>'sha', '') AS sha, coalesce(record->>'project', '') AS project,
           record ? 'removed' AS removed
         FROM ${tables.live} WHERE ${where}`,
        values,
      );
      return new Map(rows.map((row) => [row.id, row]));
    });
  }

  return {
    async prepare() {
      await inTransaction(pool, async (client) => {
        if (!(await tableExists(client, tables.live))) await createTable(client, tables.live);
        await client.query(
          `CREATE TABLE IF NOT EXISTS ${log} (
             item text NOT NULL, sha text NOT NULL, committed_at timestamptz NOT NULL, applied_at timestamptz NOT NULL,
             PRIMARY KEY (item, sha))`,
        );
        await claim(client, writer);
      });
    },

    known: (ids) => read('id = ANY ($1)', [ids]),

    removed: () => read(`record ? 'removed'`, []),

    async markRemoved(id) {
      await inTransaction(pool, async (client) => {
        await client.query(`UPDATE ${tables.live} SET record = record || '{"removed": true}' WHERE id = $1`, [
          id,
        ]);
        await claim(client, writer);
      });
    },

    async applied(id, shas) {
      return await inTransaction(pool, async (client) => {
        const { rows } = await client.query<{ sha: string }>(
          `SELECT sha FROM ${log} WHERE item = $1 AND sha = ANY ($2)`,
          [id, shas],
        );
        return new Set(rows.map(({ sha }) => sha));
      });
    },

    async apply({ id, project, file, text, unseen, latest }) {
      const about = { path: file, project, commit: { sha: latest.sha, committed_at: latest.at } };
      const commits = [...unseen, latest];
      try {
        return await inTransaction(pool, async (client) => {
          const { rows } = await client.query<{ inserted: boolean }>(
            `INSERT INTO ${tables.live} AS t (id, updated_at, record)
             VALUES ($1, $2, jsonb_build_object('item', $3::jsonb) || $4::jsonb)
             ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at, record = excluded.record
             RETURNING (xmax = 0) AS inserted`,
            [id, latest.at, text, JSON.stringify(about)],
          );
          // A revision that came back with a rewritten history is applied anew.
          await client.query(
            `INSERT INTO ${log} (item, sha, committed_at, applied_at)
             SELECT $1, sha, at, now() + nth * interval '1 microsecond'
             FROM unnest($2::text[], $3::timestamptz[]) WITH ORDINALITY AS new (sha, at, nth)
             ON CONFLICT (item, sha) DO UPDATE SET applied_at = excluded.applied_at`,
            [id, commits.map(({ sha }) => sha), commits.map(({ at }) => at)],
          );
          await claim(client, writer);
          return rows[0]?.inserted === true ? 'added' : 'updated';
        });
      } catch (error) {
        throw isDataException(error)
          ? new UnfitItemError('not JSON that Postgres keeps', { cause: error })
          : error;
      }
    },

    async move(id, project) {
      await inTransaction(pool, async (client) => {
        await client.query(
          `UPDATE ${tables.live} SET record = jsonb_set(record - 'removed', '{project}', to_jsonb($2::text)) WHERE id = $1`,
          [id, project],
        );
        await claim(client, writer);
      });
    },

    async moveWatermark(watermark) {
      await inTransaction(pool, async (client) => {
        await claim(client, writer, { changes: 'live_watermark = $3', values: [watermark] });
      });
    },
  };
}

function isDataException(error: unknown): boolean {
  const cause = error instanceof JobError ? error.cause : undefined;
  return cause instanceof DatabaseError && cause.code?.startsWith(DATA_EXCEPTION) === true;
}
