/** A folder with files as a source. */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { onTestFinished } from 'vitest';
import {
  createFilesSource,
  type FilesSourceOptions,
} from '../../../../../src/job/sources/files/files-source.ts';
import { readFilesSettings } from '../../../../../src/job/sources/files/files-settings.ts';
import { openSettings } from '../../../../../src/job/settings-file.ts';
import type { Source } from '../../../../../src/job/sources/source.ts';

export type Folder = {
  readonly path: string;
  /** Writes a file, dated back by an hour; returns its path. */
  readonly put: (name: string, content: string | Uint8Array, ageMs?: number) => string;
};

export function folder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'syncrator-drop-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return {
    path,
    put(name, content, ageMs = 3_600_000) {
      const file = join(path, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
      const written = new Date(Date.now() - ageMs);
      utimesSync(file, written, written);
      return file;
    },
  };
}

export function open(
  path: string,
  more: Record<string, string> = {},
  options: Partial<FilesSourceOptions> = {},
): Source {
  const settings = readFilesSettings(openSettings({ SOURCE_PATH: path, SOURCE_ID: 'id', ...more }));
  const source = createFilesSource({
    settings,
    stop: new AbortController().signal,
    patienceMs: 500,
    ...options,
  });
  onTestFinished(async () => await source.close?.());
  return source;
}

/** The bytes of a Parquet file with the rows of a SELECT. */
export async function parquetOf(folderOfFile: Folder, name: string, select: string): Promise<string> {
  const path = join(folderOfFile.path, name);
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
  const written = new Date(Date.now() - 3_600_000);
  utimesSync(path, written, written);
  return path;
}
