/** `npm run demo:verify`: compares source and sink, row by row, without any code of the sync program. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, escapeIdentifier } from 'pg';
import { dataDirectory, readAddress } from './files.ts';

const HELP = `Compares the demo source with the sink of dev-cities: counts, and an md5 over all rows in order.

  npm run demo:verify

Exit code 0 if they are equal, 1 if not.`;

export type Digest = { readonly count: number; readonly md5: string };

/** Digests of both sides; equal digests mean equal rows. */
export async function verifyDemo(dataDir: string): Promise<{ source: Digest; sink: Digest; equal: boolean }> {
  const address = readAddress(dataDir);
  if (!address) throw new Error('the demo source is not running; start it with: npm start');
  const { url, table } = sinkAddress(join(dataDir, 'envtarget', 'dev-cities.env'));
  const source = await digestSource(`${address.url}/records`);
  const sink = await digestSink(url, table);
  return { source, sink, equal: source.count === sink.count && source.md5 === sink.md5 };
}

/** Reads the listing page by page. */
export async function digestSource(url: string): Promise<Digest> {
  const digest = createDigest();
  for (let next: string | null = `${url}?limit=50000`; next !== null; ) {
    const response: Response = await fetch(next, { signal: AbortSignal.timeout(600_000) });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    for (const line of (await response.text()).split('\n')) {
      if (line === '') continue;
      const { id, updated_at, ...record } = JSON.parse(line) as Row;
      digest.add({ id, updated_at, record });
    }
    next = /<([^>]+)>;\s*rel="next"/.exec(response.headers.get('link') ?? '')?.[1] ?? null;
  }
  return digest.end();
}

/** Reads a whole table of the sink. */
export async function digestSink(url: string, table: string): Promise<Digest> {
  const client = new Client({
    connectionString: url,
    application_name: 'syncrator-demo-verify',
    connectionTimeoutMillis: 10_000,
    query_timeout: 120_000,
  });
  await client.connect();
  try {
    const digest = createDigest();
    const { rows } = await client.query<{ id: string; updated_at: Date; record: unknown }>(
      `SELECT id, updated_at, record FROM ${escapeIdentifier(table)} ORDER BY id COLLATE "C"`,
    );
    for (const { id, updated_at, record } of rows)
      digest.add({ id, updated_at: updated_at.toISOString(), record });
    return digest.end();
  } catch (error) {
    if ((error as { code?: string }).code === '42P01')
      throw new Error(`the sink has no table ${table} yet; run a sync`);
    throw error;
  } finally {
    await client.end();
  }
}

type Row = { id: string; updated_at: string };

function createDigest(): { add(row: Row & { record: unknown }): void; end(): Digest } {
  const hash = createHash('md5');
  let count = 0;
  return {
    add({ id, updated_at, record }) {
      hash.update(`${JSON.stringify([id, new Date(updated_at).toISOString(), canonical(record)])}\n`);
      count += 1;
    },
    end: () => ({ count, md5: hash.digest('hex') }),
  };
}

/** The same value with every object's keys in one order. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, inner]) => [key, canonical(inner)]);
}

function sinkAddress(file: string): { url: string; table: string } {
  const text = readFileSync(file, 'utf8');
  // This program has no code of the sync program, so it cannot tell what the rules make of a record.
  if (/^\s*FIELDS\s*=\s*\S/m.test(text))
    throw new Error(
      `${file} sets FIELDS, so the sink differs from the source as it should; remove it, sync, and compare again`,
    );
  const value = (key: string): string => {
    const found = new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1]?.trim();
    if (!found) throw new Error(`${file} has no ${key}`);
    return found;
  };
  return { url: value('SINK_URL'), table: value('SINK_TABLE') };
}

if (import.meta.main) {
  if (process.argv.slice(2).some((argument) => argument !== '--')) {
    console.log(HELP);
    process.exit(process.argv.includes('--help') ? 0 : 2);
  }
  try {
    const { source, sink, equal } = await verifyDemo(dataDirectory());
    console.log(`source  ${source.md5}  ${source.count} records`);
    console.log(`sink    ${sink.md5}  ${sink.count} records`);
    console.log(equal ? 'equal' : 'different');
    process.exitCode = equal ? 0 : 1;
  } catch (error) {
    console.error((error as Error).message.replaceAll(/\/\/[^\s]*@/g, '//<FILTERED>@'));
    process.exitCode = 1;
  }
}
