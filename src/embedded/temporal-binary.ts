/** Finds the `temporal` program, or gets it: PATH, our cache, the SDK's download, `go install`. */
import { mkdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildWithGo, isExecutable, onPath } from './go-build.ts';
import { downloadTemporal } from './temporal-download.ts';

// Newer ones cannot be built by `go install`: their go.mod has a replace.
const MODULE = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';

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
  const cached = path.join(bin, 'temporal');
  const present = onPath('temporal', env) ?? (isExecutable(cached) ? cached : undefined);
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
      return await buildWithGo({
        go,
        bin,
        name: 'temporal',
        goArguments: () => ['install', MODULE],
        label: `go install ${MODULE}`,
        usually: '3 minutes',
        onProgress,
        signal,
      });
    } catch (error) {
      failures.push(message(error));
    }
  }
  throw new Error(
    `no temporal program (${failures.join('; ')}): put the temporal CLI on PATH, install Go, or set TEMPORAL_ADDRESS to a running Temporal`,
  );
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
