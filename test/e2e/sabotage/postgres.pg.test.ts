/** Sabotage against a Postgres sink. */
import { Client } from 'pg';
import { expect, vi } from 'vitest';
import { createDatabase } from '../../support/database.ts';
import type { SinkServer } from './stage.ts';
import { sabotage } from './suite.ts';

async function startPostgresSink(): Promise<SinkServer> {
  const database = await createDatabase({ migrated: false });
  const connected = async (): Promise<Client> => {
    const client = new Client({ connectionString: database.url, query_timeout: 30_000 });
    await client.connect();
    return client;
  };
  const client = await connected();
  return {
    syncOptions: () => '',
    prepare: (target) =>
      Promise.resolve({
        SINK: 'postgres',
        SINK_URL: database.url,
        SINK_TABLE: target,
        ...(target === 'schema' ? { SINK_COLUMNS: 'name text' } : {}),
      }),
    async names(target) {
      const { rows } = await client.query<{ id: string; name: string }>(
        `SELECT id, record->>'name' AS name FROM ${target}`,
      );
      return Object.fromEntries(rows.map(({ id, name }) => [id, name]));
    },
    /** Readers are not in the way of a sync; another writer is. */
    async pauseSwitch(target) {
      const other = await connected();
      await other.query(`BEGIN; LOCK TABLE ${target} IN SHARE ROW EXCLUSIVE MODE`);
      return {
        reached: async () => {
          const waiting = async () => {
            const { rows } = await client.query(
              `SELECT FROM pg_locks WHERE relation = '${target}'::regclass AND NOT granted`,
            );
            return rows.length;
          };
          await vi.waitFor(async () => expect(await waiting()).toBeGreaterThan(0), { timeout: 30_000 });
        },
        release: async () => await other.end(),
      };
    },
    misfit: () => Promise.resolve({ SINK_COLUMNS: 'name bigint' }),
    async stop() {
      await client.end();
      await database.drop();
    },
  };
}

sabotage('Postgres', startPostgresSink);
