/** COPY of records and ids: the quickest way into Postgres. */

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { SourceRecord } from '../../sources/source.ts';

const DEADLINE_MS = 16 * 60_000;

/** @param table a quoted name of a table with the columns id, updated_at, record; @returns how many were written */
export async function copyRecords(
  client: PoolClient,
  table: string,
  records: readonly SourceRecord[],
): Promise<number> {
  let text = '';
  for (const { id, updated_at, record } of records) {
    text += `${escaped(id)}\t${escaped(updated_at)}\t${escaped(JSON.stringify(record))}\n`;
  }
  await copy(client, `COPY ${table} (id, updated_at, record) FROM STDIN`, text);
  return records.length;
}

/** @param table a quoted name of a table with the column id */
export async function copyIds(client: PoolClient, table: string, ids: readonly string[]): Promise<void> {
  await copy(client, `COPY ${table} (id) FROM STDIN`, ids.map((id) => `${escaped(id)}\n`).join(''));
}

async function copy(client: PoolClient, statement: string, text: string): Promise<void> {
  await pipeline(Readable.from([Buffer.from(text)]), client.query(copyFrom(statement)), {
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

function escaped(value: string): string {
  return /[\\\t\n\r]/.test(value) ? value.replaceAll(/[\\\t\n\r]/g, (sign) => ESCAPES[sign] ?? sign) : value;
}
