/** Finds the `temporal` program, or gets it: PATH, our cache, the SDK's download, `go install`. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildTemporal } from './temporal-build.ts';
import { downloadTemporal } from './temporal-download.ts';

export type Progress = (line: string) => void;

/** Where programs we fetched ourselves are kept, across checkouts. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  return (
    env['SYNCRATOR_CACHE'] ??
    path.join(env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache'), 'syncrator')
  );
}

/**
 * The path of a `temporal` program; the first call on a machine may take minutes, and says so.
 * @throws Error saying what to install, or to set TEMPORAL_ADDRESS
 */
export async function temporalBinary(
  onProgress: Progress = () => undefined,
  env: NodeJS.ProcessEnv = process.env,
  signal?: AbortSignal,
): Promise<string> {
  const bin = path.join(cacheDir(env), 'bin');
  const present = onPath('temporal', env) ?? executable(path.join(bin, 'temporal'));
  if (present !== undefined) return present;
  mkdirSync(bin, { recursive: true });

  const failures: string[] = [];
  try {
    return await downloadTemporal(bin, onProgress, signal);
  } catch (error) {
    failures.push(message(error));
    onProgress(message(error));
  }
  signal?.throwIfAborted();
  const go = onPath('go', env);
  if (go === undefined) failures.push('there is no go on PATH to build it');
  else {
    try {
      return await buildTemporal(go, bin, onProgress, signal);
    } catch (error) {
      failures.push(message(error));
    }
  }
  throw new Error(
    `no temporal program (${failures.join('; ')}): put the temporal CLI on PATH, install Go, or set TEMPORAL_ADDRESS to a running Temporal`,
  );
}

function onPath(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const folders = (env['PATH'] ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  for (const folder of folders) {
    const found = executable(path.join(folder, name));
    if (found !== undefined) return found;
  }
  return undefined;
}

function executable(file: string): string | undefined {
  try {
    accessSync(file, constants.X_OK);
    return file;
  } catch {
    return undefined; // absent, or not for us: the next place is tried
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

if (import.meta.main) {
  try {
    console.log(await temporalBinary((line) => console.error(line)));
    process.exit(0);
  } catch (error) {
    console.error(message(error));
    process.exit(1);
  }
}
