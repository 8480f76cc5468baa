/**
 * The items in the sink: the live table of sink `postgres`, with the log of the revisions applied beside it. Each item
 * is brought in a transaction of its own that ends with the fence.
 */

import { DatabaseError, escapeIdentifier } from 'pg';
import { JobError } from '../job-error.ts';
import { inTransaction } from '../sinks/postgres/connect.ts';
import type { Sinks } from '../sinks/postgres/load.ts';
import { claim } from '../sinks/postgres/state.ts';
import { createTable, tableExists } from '../sinks/postgres/tables.ts';
import type { Commit, Project } from '../sources/gitlab/gitlab.ts';

/** What the sink has of an item. */
export type KnownItem = { readonly sha: string; readonly project: string };

export type Revision = {
  readonly project: Project;
  readonly file: string;
  /** JSON, as it was committed: Postgres keeps its numbers as they are written. */
  readonly text: string;
  /** Those not seen before, oldest first; the last one is what the text is of. */
  readonly commits: readonly [...Commit[], Commit];
};

/** The item's text is no JSON that Postgres can keep: the item's fault, not the sink's. */
export class UnfitItemError extends Error {
  override readonly name = 'UnfitItemError';
}

export type Items = {
  /** Makes the tables where they are missing. */
  prepare(): Promise<void>;
  known(ids: readonly string[]): Promise<Map<string, KnownItem>>;
  /** Those of the commits that were applied before. */
  applied(id: string, shas: readonly string[]): Promise<Set<string>>;
  /** @throws UnfitItemError, JobError */
  apply(revision: Revision): Promise<'added' | 'updated'>;
  /** To be called when nothing is left to be done up to this time. */
  moveWatermark(watermark: Date): Promise<void>;
};

/** SQLSTATE class 22, data exception: such as U+0000 or half a surrogate pair within jsonb. */
const DATA_EXCEPTION = '22';

export function createItems({ pool, tables, writer }: Sinks): Items {
  const log = escapeIdentifier(`${tables.name}__commits`);
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

    async known(ids) {
      return await inTransaction(pool, async (client) => {
        const { rows } = await client.query<KnownItem & { id: string }>(
          `SELECT id, coalesce(record->'commit'->>'sha', '') AS sha, coalesce(record->>'project', '') AS project
           FROM ${tables.live} WHERE id = ANY ($1)`,
          [ids],
        );
        return new Map(rows.map((row) => [row.id, row]));
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

    async apply({ project, file, text, commits }) {
      const last = commits.at(-1) as Commit;
      const about = { path: file, project: project.path, commit: { sha: last.sha, committed_at: last.at } };
      try {
        return await inTransaction(pool, async (client) => {
          const { rows } = await client.query<{ inserted: boolean }>(
            `INSERT INTO ${tables.live} AS t (id, updated_at, record)
             VALUES ($1, $2, jsonb_build_object('item', $3::jsonb) || $4::jsonb)
             ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at, record = excluded.record
             RETURNING (xmax = 0) AS inserted`,
            [project.id, last.at, text, JSON.stringify(about)],
          );
          // A revision that came back with a rewritten history is applied anew.
          await client.query(
            `INSERT INTO ${log} (item, sha, committed_at, applied_at)
             SELECT $1, sha, at, now() + nth * interval '1 microsecond'
             FROM unnest($2::text[], $3::timestamptz[]) WITH ORDINALITY AS new (sha, at, nth)
             ON CONFLICT (item, sha) DO UPDATE SET applied_at = excluded.applied_at`,
            [project.id, commits.map(({ sha }) => sha), commits.map(({ at }) => at)],
          );
          await claim(client, writer);
          return rows[0]?.inserted === true ? 'added' : 'updated';
        });
      } catch (error) {
        throw isDataException(error) ? new UnfitItemError('not JSON that Postgres keeps', { cause: error }) : error;
      }
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
