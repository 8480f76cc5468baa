/** The sink's live table in a test: its bytes, and its differences from the expected one. */

import type { Client } from 'pg';
import type { LiveSink } from './live-sink.ts';
import type { Live } from './model.ts';

export function liveTable(client: Client, url: string, table: string): LiveSink {
  return {
    environment: { SINK: 'postgres', SINK_URL: url, SINK_TABLE: table },
    digest: () => digestOf(client, table),
    differences: (live) => differences(client, table, live),
    ids: () => idsOf(client, table),
    async has({ id, json }) {
      const { rows } = await client.query(`SELECT FROM ${table} WHERE id = $1 AND record = $2::jsonb`, [
        id,
        json,
      ]);
      return rows.length > 0;
    },
  };
}

/** A digest of all bytes. */
export async function digestOf(client: Client, table: string): Promise<string> {
  const { rows } = await client.query<{ md5: string | null }>(
    `SELECT md5(string_agg(t::text, '|' ORDER BY id COLLATE "C")) AS md5 FROM ${table} t`,
  );
  return rows[0]?.md5 ?? 'empty';
}

/** The first differing records; empty if there are none. */
async function differences(client: Client, table: string, live: Live): Promise<string[]> {
  const rows = [...live.values()];
  const { rows: found } = await client.query<{ id: string; what: string }>(
    `SELECT coalesce(l.id, w.id) AS id,
       CASE WHEN l.id IS NULL THEN 'is missing' WHEN w.id IS NULL THEN 'is too many'
            WHEN l.updated_at <> w.at THEN 'has the time ' || l.updated_at ELSE 'has other fields' END AS what
     FROM ${table} l
     FULL JOIN unnest($1::text[], $2::timestamptz[], $3::jsonb[]) AS w (id, at, record) ON w.id = l.id
     WHERE l.id IS NULL OR w.id IS NULL OR l.updated_at <> w.at OR l.record::text <> w.record::text
     ORDER BY 1 LIMIT 3`,
    [rows.map(({ id }) => id), rows.map(({ updated_at: at }) => at), rows.map(({ json }) => json)],
  );
  return found.map(({ id, what }) => `${JSON.stringify(id.slice(0, 30))} ${what}`);
}

async function idsOf(client: Client, table: string): Promise<Set<string>> {
  const { rows } = await client.query<{ id: string }>(`SELECT id FROM ${table}`);
  return new Set(rows.map(({ id }) => id));
}
