/** A source with the NDJSON protocol and a few rows, which a test can change, replace or delay. */

import { Hono } from 'hono';
import { serveApp } from './serve.ts';

export type FakeRow = { id: string; updated_at: string } & Record<string, unknown>;
export type Listing = { query: Record<string, string>; rows: FakeRow[]; total: number; more: boolean };

export type FakeSource = {
  readonly url: string;
  rows: Map<string, FakeRow>;
  /** Largest page size. */
  pageSize: number;
  /** A response instead of the usual one; undefined for the usual one. */
  bend: ((listing: Listing, count: number) => Response | Promise<Response> | undefined) | null;
  readonly requests: Record<string, string>[];
  put(...rows: FakeRow[]): void;
  close(): Promise<void>;
};

export async function startFakeSource(): Promise<FakeSource> {
  const app = new Hono();
  app.get('/records', async (c) => {
    const query = c.req.query();
    source.requests.push(query);
    const since = query['updated_since'] ? Date.parse(query['updated_since']) : -Infinity;
    const matching = [...source.rows.values()]
      .filter((row) => Date.parse(row.updated_at) >= since)
      .sort((a, b) => byBytes(a.id, b.id));
    const left = matching.filter(({ id }) => query['after'] === undefined || byBytes(id, query['after']) > 0);
    const rows = left.slice(0, Math.min(source.pageSize, Number(query['limit'])));
    const listing = { query, rows, total: matching.length, more: rows.length < left.length };
    return (await source.bend?.(listing, source.requests.length)) ?? page(listing);
  });
  const server = await serveApp(app);
  const source: FakeSource = {
    url: `${server.url}/records`,
    rows: new Map(),
    pageSize: 1000,
    bend: null,
    requests: [],
    put: (...rows) => {
      for (const row of rows) source.rows.set(row.id, row);
    },
    close: () => server.close(),
  };
  return source;
}

function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

/** The usual answer, with an optional other body or total. */
export function page(
  { query, rows, total, more }: Listing,
  instead: {
    body?: string | Uint8Array<ArrayBuffer> | ReadableStream;
    total?: number;
    date?: string;
    status?: number;
    headers?: Record<string, string>;
  } = {},
): Response {
  const headers = new Headers({
    'content-type': 'application/x-ndjson',
    'x-total-count': String(instead.total ?? total),
  });
  if (instead.date) headers.set('date', instead.date);
  if (more) headers.set('link', '</records?after=x>; rel="next"');
  for (const [name, value] of Object.entries(instead.headers ?? {})) headers.set(name, value);
  const { status = 200 } = instead;
  return new Response(instead.body ?? lines(rows, query['fields'] === 'id'), { status, headers });
}

export function lines(rows: readonly FakeRow[], idsOnly = false): string {
  return rows.map((row) => `${JSON.stringify(idsOnly ? { id: row.id } : row)}\n`).join('');
}

/** `count` rows r00001 … as of 2025. */
export function someRows(count: number, updated_at = '2025-01-01T00:00:00.000Z'): FakeRow[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `r${String(index + 1).padStart(5, '0')}`,
    updated_at,
    name: `row ${index + 1}`,
  }));
}

/** Collects all batches of a source. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
