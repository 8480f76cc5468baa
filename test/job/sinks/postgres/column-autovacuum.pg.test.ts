/** An autovacuum of the table gives way to a changed list. On a server of its own, whose autovacuum comes each second. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { expect, it } from 'vitest';
import { parseColumns } from '../../../../src/job/columns/parse-columns.ts';
import { startPostgres } from '../../../../src/embedded/postgres.ts';
import { attempt } from '../../support/attempt.ts';
import { memorySource } from '../../support/memory-source.ts';

const VACUUMS = `SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)
  WHERE relation = to_regclass('cities') AND backend_type = 'autovacuum worker'`;

it('an autovacuum of the table gives way to a changed list', async () => {
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-autovacuum-'));
  const postgres = await startPostgres({ dataDir, ephemeral: true });
  const url = postgres.url('postgres');
  const client = new Client({ connectionString: url, query_timeout: 30_000 });
  try {
    await client.connect();
    await client.query('ALTER SYSTEM SET autovacuum_naptime = 1');
    await client.query('SELECT pg_reload_conf()');
    const records = Array.from({ length: 3_000 }, (_, nth) => ({
      id: `r${String(nth).padStart(6, '0')}`,
      updated_at: '2025-01-01T00:00:00.000Z',
      record: { name: `name ${nth} ${'long '.repeat(100)}` },
    }));
    const of = { url, action: 'sync', source: memorySource(records), batchSize: 1_000 } as const;
    expect(await attempt({ ...of, job: 1 })).toMatchObject({ code: 'ok' });
    await client.query(`ALTER TABLE cities SET (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1,
      autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0); UPDATE cities SET updated_at = updated_at`);
    await expect
      .poll(async () => (await client.query(VACUUMS)).rowCount, { timeout: 30_000 })
      .toBeGreaterThan(0);
    const columns = { list: parseColumns('name text'), keepsRecord: true, mayDrop: [] };
    expect(await attempt({ ...of, job: 2, columns, patienceMs: 5_000 })).toMatchObject({ code: 'ok' });
  } finally {
    await client.end();
    await postgres.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}, 90_000);
