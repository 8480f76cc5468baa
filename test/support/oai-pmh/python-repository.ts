/** A repository by a library of PyPI, which is not ours: repository.py serves an SQLite file, which tests change. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import type { Progress } from '../../../src/embedded/temporal-binary.ts';
import { pythonPackages } from '../python/packages.ts';

/** pyoai imports pkg_resources, which later versions of setuptools lack. */
const INSTALL = { packages: ['pyoai==2.5.0', 'oai-repo==0.5.2', 'setuptools==80.9.0'], size: '46 MB' };

/** @returns the path of a Python that has both libraries */
export async function oaiPython(onProgress: Progress): Promise<string> {
  return path.join(await pythonPackages(INSTALL, onProgress), 'bin/python');
}

export type PythonRecord = {
  readonly id: string;
  /** In seconds, as a datestamp. */
  readonly stamp: string;
  readonly title?: string;
  readonly sets?: readonly string[];
  readonly isDeleted?: boolean;
};

export type PythonRepository = AsyncDisposable & {
  readonly url: string;
  put(...records: readonly PythonRecord[]): void;
  /** Without a trace. */
  drop(...ids: readonly string[]): void;
  /** Tokens expire behind so many records of a list (pyoai alone). */
  expireAfter(records: number): void;
};

const PAGE_SIZE = 10;
const FOREVER = 1_000_000;

/** @throws Error with its words if it does not start */
export async function startPythonRepository(library: 'pyoai' | 'oai_repo'): Promise<PythonRepository> {
  const python = await oaiPython((line) => console.log(`[test] ${line}`));
  const folder = mkdtempSync(path.join(tmpdir(), 'syncrator-oai-'));
  const file = path.join(folder, 'records.sqlite');
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
    CREATE TABLE records (id TEXT NOT NULL UNIQUE, stamp TEXT, title TEXT, sets TEXT, deleted INT);
    CREATE TABLE facts (token_life INT); INSERT INTO facts VALUES (${FOREVER})`);
  const put = database.prepare(`INSERT INTO records (id, stamp, title, sets, deleted) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp, title = excluded.title, sets = excluded.sets,
      deleted = excluded.deleted`);
  const drop = database.prepare('DELETE FROM records WHERE id = ?');
  const script = path.join(import.meta.dirname, 'repository.py');
  const child = spawn(python, [script, library, file, String(PAGE_SIZE)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const port = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([line]) => String(line)),
    exited.then(([code]) => Promise.reject(new Error(`${script} ended with ${code}; its words stand above`))),
  ]);
  return {
    url: `http://127.0.0.1:${port}/oai`,
    put(...records) {
      database.exec('BEGIN');
      for (const { id, stamp, title = 'first', sets = [], isDeleted = false } of records)
        put.run(id, stamp, title, JSON.stringify(sets), isDeleted ? 1 : 0);
      database.exec('COMMIT');
    },
    drop(...ids) {
      for (const id of ids) drop.run(id);
    },
    expireAfter: (records) => database.exec(`UPDATE facts SET token_life = ${records}`),
    async [Symbol.asyncDispose]() {
      child.kill();
      await exited;
      database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
