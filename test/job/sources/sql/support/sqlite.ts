/** A database in a file of its own, in WAL mode as most programs have it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SqlDatabase } from './database.ts';

/** Rows that come one by one, for hours. */
const ENDLESS =
  'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000000) SELECT i AS id, i AS name FROM n';

export async function sqliteDatabase(): Promise<SqlDatabase & { readonly path: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'syncrator-sqlite-'));
  const path = join(directory, 'source.db');
  const exec = async (sql: string): Promise<void> => {
    const database = new DatabaseSync(path);
    try {
      database.exec(sql);
    } finally {
      database.close();
    }
  };
  await exec('PRAGMA journal_mode = WAL');
  return {
    path,
    url: `sqlite:${path}`,
    exec,
    text: 'TEXT COLLATE NOCASE',
    timestamp: 'TIMESTAMP',
    slow: ENDLESS,
    writing: 'WITH a AS (SELECT 1) DELETE FROM places RETURNING id, name',
    [Symbol.asyncDispose]: async () => rmSync(directory, { recursive: true }),
  };
}
