/** Jobs with connectors of PyPI: an Airbyte connector, a declarative manifest against an API, and a Singer tap. */
import path from 'node:path';
import { Hono } from 'hono';
import { Client } from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import {
  type ConnectorProgramName,
  connectorPrograms,
} from '../../../support/connector/connector-programs.ts';
import { createDatabase } from '../../../support/database.ts';
import { serveApp } from '../../support/serve.ts';
import { type Setup, setup } from '../../support/setup.ts';

const INSTALL_MS = 20 * 60_000;
/** Each command of a connector takes seconds to start, and longer beside other tests. */
const REAL_MS = 5 * 60_000;
const last = (t: Setup) => t.receiver.reports.at(-1);
let programs: Record<ConnectorProgramName, string>;

beforeAll(async () => {
  programs = await connectorPrograms((line) => console.log(`[test] ${line}`));
}, INSTALL_MS);

/** @throws unless the run succeeds */
async function run(t: Setup, options: string, environment: Record<string, string>): Promise<string> {
  const { code, output } = await t.run(options, environment);
  expect([code, output]).toEqual([EXIT.ok, output]);
  return output;
}

type Place = { id: string; name: string; changed: string };

/** An API with pages of ten, which can fail at one of them. */
async function startApi() {
  const places = new Map<string, Place>();
  const api = { places, failsAt: 0, emptyAt: 0 };
  const app = new Hono();
  app.get('/places', (c) => {
    if (c.req.header('authorization') !== 'Token hush-hush') return c.json({ error: 'who are you?' }, 401);
    const page = Number(c.req.query('page') ?? 1);
    if (page === api.failsAt) return c.json({ error: 'away' }, 503);
    const all = page === api.emptyAt ? [] : [...places.values()].slice((page - 1) * 10, page * 10);
    return c.json({ places: all });
  });
  const { url, close } = await serveApp(app);
  return { api, url, [Symbol.asyncDispose]: close };
}

describe('a real connector', () => {
  it(
    'airbyte-source-faker fills a table, and a sync removes what it no longer has',
    async () => {
      await using t = await setup();
      const settings = (count: number) => ({
        SOURCE: 'connector',
        CONNECTOR: programs['source-faker'],
        CONNECTOR_CONFIG: JSON.stringify({ count, seed: 7, records_per_slice: 100 }),
        CONNECTOR_STREAM: 'users',
        SOURCE_UPDATED_AT: 'updated_at',
      });
      const output = await run(t, 'sync', settings(250));
      expect(last(t)).toMatchObject({ added: 250, listing: 'complete' });
      expect(output).toContain('source-faker users -> ');
      await run(t, 'sync', settings(245));
      expect(last(t)).toMatchObject({ added: 0, deleted: 5 });
      const [row] = await t.query<{ id: string }>('SELECT max(id::int) AS id FROM cities');
      expect(Number(row?.id)).toBe(245);
    },
    REAL_MS,
  );

  it(
    'a declarative manifest is synchronised, and a source that fails half-way removes nothing',
    async () => {
      await using server = await startApi();
      const { api } = server;
      for (let nth = 0; nth < 45; nth += 1)
        api.places.set(`p${nth}`, { id: `p${nth}`, name: `place ${nth}`, changed: '2026-11-01T09:30:00Z' });
      await using t = await setup();
      const settings = {
        SOURCE: 'connector',
        CONNECTOR: programs['source-declarative-manifest'],
        CONNECTOR_MANIFEST: path.resolve(import.meta.dirname, '../../../support/connector/places.yaml'),
        CONNECTOR_CONFIG: JSON.stringify({ url: server.url, api_key: 'hush-hush' }),
        CONNECTOR_STREAM: 'places',
        SOURCE_UPDATED_AT: 'changed',
      };
      const output = await run(t, 'sync', settings);
      expect(last(t)).toMatchObject({ added: 45, listing: 'complete' });
      expect(output).toContain('source-declarative-manifest places.yaml places -> ');
      expect(output).not.toContain('hush-hush');
      const before = await t.md5();

      api.failsAt = 3;
      const broken = await t.run('sync', settings);
      expect(broken.code).toBe(EXIT.incompleteListing);
      expect(broken.output).toContain('STREAM_STATUS INCOMPLETE');
      expect(await t.md5()).toBe(before);
      api.failsAt = 0;

      // The connector calls this complete, so only the delete guard is left.
      api.emptyAt = 2;
      await run(t, 'sync', settings);
      expect(last(t)?.held).toBeGreaterThan(5);
      expect(await t.md5()).toBe(before);
      api.emptyAt = 0;

      api.places.delete('p7');
      await run(t, 'sync', settings);
      expect(last(t)).toMatchObject({ added: 0, updated: 0, deleted: 1 });

      const wrong = {
        ...settings,
        CONNECTOR_CONFIG: JSON.stringify({ url: server.url, api_key: 'not-it-at-all' }),
      };
      const refused = await t.run('sync', wrong);
      expect(refused.code).toBe(EXIT.notConfigured);
      expect(refused.output).toContain('the check of source-declarative-manifest failed');
      expect(refused.output).not.toContain('not-it-at-all');
    },
    REAL_MS,
  );

  it(
    'meltanolabs-tap-postgres adds and updates, and removes only if its exit code counts',
    async () => {
      await using t = await setup();
      await using database = await createDatabase({ migrated: false });
      const client = new Client({ connectionString: database.url });
      await client.connect();
      await client.query(`CREATE TABLE towns (code int PRIMARY KEY, name text, changed timestamptz);
      INSERT INTO towns SELECT n, 'town ' || n, '2026-11-01T09:30:00Z' FROM generate_series(1, 60) AS n`);
      const { hostname, port, username, password, pathname } = new URL(database.url);
      const settings = {
        SOURCE: 'connector',
        CONNECTOR_PROTOCOL: 'singer',
        CONNECTOR: programs['tap-postgres'],
        CONNECTOR_CONFIG: JSON.stringify({
          host: hostname,
          port: Number(port),
          user: username,
          password: password || 'none',
          database: pathname.slice(1),
          filter_schemas: ['public'],
        }),
        CONNECTOR_STREAM: 'public-towns',
        SOURCE_UPDATED_AT: 'changed',
      };
      await run(t, 'sync', settings);
      expect(last(t)).toMatchObject({ added: 60, listing: 'unproven' });
      await client.query(`DELETE FROM towns WHERE code = 7; UPDATE towns SET name = 'other' WHERE code = 8`);
      await run(t, 'sync', settings);
      expect(last(t)).toMatchObject({ updated: 1, deleted: 0, kept: 1 });
      await run(t, 'sync', { ...settings, CONNECTOR_EXIT_COMPLETE: 'true' });
      expect(last(t)).toMatchObject({ deleted: 1, listing: 'complete' });
      await client.end();
    },
    REAL_MS,
  );
});
