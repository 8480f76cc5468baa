/** The demo source: 171,000 cities over HTTP, by the NDJSON protocol of src/job/sources/ndjson-http.ts. */

import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { serve, type ServerType } from '@hono/node-server';
import { Hono } from 'hono';
import { z } from 'zod';
import { dataDirectory, readState, removeAddress, writeAddress, writeState } from './files.ts';
import { createRecords, type Records } from './records.ts';

const MOST_LINES = 50_000;

const listingQuery = z.object({
  updated_since: z.iso.datetime({ offset: true }).optional(),
  after: z.string().optional(),
  limit: z.coerce.number().int().min(1).default(1000),
  fields: z.literal('id').optional(),
});

const changeBody = z.strictObject({
  change: z.number().int().min(0).default(0),
  remove: z.number().int().min(0).default(0),
});

/**
 * The routes alone.
 * @param rate records a second; null: no limit
 */
export function createDemoApp(records: Records, rate: number | null): Hono {
  const app = new Hono();
  app.get('/records', (c) => {
    const query = listingQuery.safeParse(c.req.query());
    if (!query.success) return c.json({ error: z.prettifyError(query.error) }, 400);
    const { updated_since, after, limit, fields } = query.data;
    const { total, rows, more } = records.list({
      since: updated_since === undefined ? null : Date.parse(updated_since),
      after: after ?? null,
      limit: Math.min(limit, MOST_LINES),
    });
    c.header('content-type', 'application/x-ndjson');
    c.header('x-total-count', String(total));
    if (more) {
      const next = new URL(c.req.url);
      next.searchParams.set('after', rows.at(-1)?.id ?? '');
      c.header('link', `<${next.href}>; rel="next"`);
    }
    const lines = rows.map(fields === 'id' ? (row) => row.idLine : (row) => row.line);
    return c.body(rate === null || fields === 'id' ? lines.join('') : slowly(lines, rate));
  });
  app.post('/change', async (c) => {
    const body = changeBody.safeParse(await c.req.json().catch(() => null));
    return body.success
      ? c.json(records.change(body.data))
      : c.json({ error: z.prettifyError(body.error) }, 400);
  });
  app.post('/empty', (c) => c.json({ emptied: records.empty() }));
  app.post('/restore', (c) => c.json({ restored: records.restore() }));
  return app;
}

/** Starts the source, and notes its address on this machine in `<dataDir>/demo/source.json`. */
export async function startDemoSource({
  dataDir,
  host = '127.0.0.1',
  port = 0,
  rate = null,
}: {
  dataDir: string;
  host?: string;
  port?: number;
  rate?: number | null;
}): Promise<{ url: string; stop: () => Promise<void> }> {
  const records = createRecords(readState(dataDir), (state) => writeState(dataDir, state));
  const app = createDemoApp(records, rate);
  const server = await new Promise<ServerType>((resolve, reject) => {
    const started = serve({ fetch: app.fetch, port, hostname: host }, () => resolve(started));
    started.once('error', reject);
  });
  // A client on a busy machine takes longer for a page than Node's 5 s, and would send a request on a closed
  // connection.
  if ('keepAliveTimeout' in server) server.keepAliveTimeout = 65_000;
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeAddress(dataDir, { url, pid: process.pid });
  return {
    url,
    async stop() {
      removeAddress(dataDir);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      if ('closeAllConnections' in server) server.closeAllConnections();
      await closed;
    },
  };
}

function slowly(lines: readonly string[], rate: number): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const perTurn = Math.max(1, Math.round(rate / 10));
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (at >= lines.length) return controller.close();
      await new Promise((resolve) => setTimeout(resolve, (perTurn / rate) * 1000));
      controller.enqueue(encoder.encode(lines.slice(at, at + perTurn).join('')));
      at += perTurn;
    },
  });
}

function rateFromEnvironment(): number | null {
  const text = process.env['DEMO_RATE'] ?? '';
  if (text === '') return null;
  if (!/^\d{1,9}$/.test(text) || Number(text) === 0)
    throw new Error('DEMO_RATE is not a number of records a second');
  return Number(text);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: process.env['DEMO_PORT'] ?? '0' },
    },
  });
  const source = await startDemoSource({
    dataDir: dataDirectory(),
    host: values.host,
    port: Number(values.port),
    rate: rateFromEnvironment(),
  });
  // Before the ready message: its receiver may send SIGTERM at once.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void source.stop().then(() => process.exit(0)));
  }
  // The parent process was killed.
  process.once('disconnect', () => void source.stop().then(() => process.exit(0)));
  console.log(`demo source: ${source.url}/records`);
  process.send?.({ ready: true, url: source.url });
}
