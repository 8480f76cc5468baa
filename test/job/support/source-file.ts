/** Writes a SOURCE_FILE for a test and returns its settings. */

import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export type WrittenFile = {
  readonly environment: Record<string, string>;
  write(text: string | Buffer, age?: number): void;
};

/** A SOURCE_FILE, modified an hour ago by default. */
export function sourceFile(text: string): WrittenFile {
  const directory = mkdtempSync(join(tmpdir(), 'syncrator-recipe-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'records.ndjson');
  const write: WrittenFile['write'] = (next, ageMs = 3_600_000) => {
    writeFileSync(path, next);
    const written = new Date(Date.now() - ageMs);
    utimesSync(path, written, written);
  };
  write(text);
  return { environment: { SOURCE_URL: '', SOURCE_FILE: path }, write };
}
