/** The demo's state files, under SYNCRATOR_DATA. */

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** The changes of the records since the package's own state. */
export type DemoState = {
  emptied: boolean;
  removed: string[];
  changed: Record<string, { updated_at: string; revision: number }>;
  /** When everything was restored after it was emptied: all records are as new as this. */
  restored_at: string | null;
};

const demoState = z.object({
  emptied: z.boolean(),
  removed: z.array(z.string()),
  changed: z.record(z.string(), z.object({ updated_at: z.string(), revision: z.number() })),
  restored_at: z.string().nullable(),
});

const address = z.object({ url: z.url(), pid: z.number() });

export function dataDirectory(): string {
  return process.env['SYNCRATOR_DATA'] || '.data';
}

export function readState(dataDir: string): DemoState {
  const text = readIfThere(join(dataDir, 'demo', 'state.json'));
  return text === null
    ? { emptied: false, removed: [], changed: {}, restored_at: null }
    : demoState.parse(JSON.parse(text));
}

export function writeState(dataDir: string, state: DemoState): void {
  write(dataDir, 'state.json', state);
}

/** Null if no source runs or ever ran. */
export function readAddress(dataDir: string): { url: string; pid: number } | null {
  const text = readIfThere(join(dataDir, 'demo', 'source.json'));
  return text === null ? null : address.parse(JSON.parse(text));
}

export function writeAddress(dataDir: string, value: { url: string; pid: number }): void {
  write(dataDir, 'source.json', value);
}

export function removeAddress(dataDir: string): void {
  // Another source may have replaced ours since.
  if (readAddress(dataDir)?.pid === process.pid)
    rmSync(join(dataDir, 'demo', 'source.json'), { force: true });
}

function write(dataDir: string, name: string, value: unknown): void {
  const directory = join(dataDir, 'demo');
  mkdirSync(directory, { recursive: true });
  const path = join(directory, name);
  writeFileSync(`${path}.${process.pid}`, `${JSON.stringify(value)}\n`);
  renameSync(`${path}.${process.pid}`, path);
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
