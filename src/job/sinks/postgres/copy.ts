/** Writes records and ids with COPY, the fastest way into Postgres. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { textOf } from '../../columns/column-text.ts';
import type { Column } from '../../columns/parse-columns.ts';
import type { GoneRecord, SourceRecord } from '../../sources/source.ts';
import { stagedNames } from './shape.ts';

const DEADLINE_MS = 16 * 60_000;
const NULL = '\\N';

/**
 * @param table quoted name of a table with the columns id, updated_at, record, and those of the list
 * @param of.listed ids without a record
 * @param of.gone deleted records: without a record, and with the time
 * @param of.columns fields that each record fits
 */
export async function copyListing(
  client: PoolClient,
  table: string,
  {
    records,
    listed,
    gone = [],
    columns,
  }: {
    records: readonly SourceRecord[];
    listed: readonly string[];
    gone?: readonly GoneRecord[];
    columns: readonly Column[];
  },
): Promise<void> {
  let text = '';
  for (const { id, updated_at, record } of records) {
    text += `${escaped(id)}\t${escaped(updated_at)}\t${escaped(JSON.stringify(record))}`;
    for (const { name, type } of columns) {
      const value = Object.hasOwn(record, name) ? textOf(type, record[name]) : null;
      text += value === null ? `\t${NULL}` : `\t${escaped(value)}`;
    }
    text += '\n';
  }
  const nothing = `\t${NULL}`.repeat(1 + columns.length);
  for (const id of listed) text += `${escaped(id)}\t${NULL}${nothing}\n`;
  for (const { id, at } of gone) text += `${escaped(id)}\t${escaped(at)}${nothing}\n`;
  const statement = `COPY ${table} (id, updated_at, record${stagedNames(columns)}) FROM STDIN`;
  await pipeline(Readable.from([Buffer.from(text)]), client.query(copyFrom(statement)), {
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

function escaped(value: string): string {
  return /[\\\t\n\r]/.test(value) ? value.replaceAll(/[\\\t\n\r]/g, (sign) => ESCAPES[sign] ?? sign) : value;
}
