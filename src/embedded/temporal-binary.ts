/** Finds the `temporal` program on PATH or in our cache, else downloads it or builds it with `go install`. */
import { mkdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildWithGo, isExecutable, onPath } from './go-build.ts';
import { downloadTemporal, TEMPORAL_VERSION } from './temporal-download.ts';

// `go install` cannot build newer versions: their go.mod has a replace directive.
const MODULE = `github.com/temporalio/cli/cmd/temporal@v${TEMPORAL_VERSION}`;

export type Progress = (line: string) => void;

/** Folder of the programs that we downloaded or built, shared by checkouts. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  return (
    env['SYNCRATOR_CACHE'] ??
    path.join(env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache'), 'syncrator')
  );
}

/**
 * Returns the path of a `temporal` program; the first call on a machine may take minutes and reports progress.
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
  if (go === undefined) failures.push('cannot build it: Go is not on PATH');
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
  throw new Error(noTemporal(failures, cached));
}

const ARCHES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Message with the commands to install the program by hand, when every attempt of ours failed. */
export function noTemporal(failures: readonly string[], place: string): string {
  const archive = `https://temporal.download/cli/archive/latest?platform=${process.platform}&arch=${ARCHES[process.arch] ?? process.arch}`;
  return [
    `cannot find or get the program temporal: ${failures.join('; ')}. One of these helps:`,
    `fetch ${archive} on a machine with internet access, unpack its file temporal, put it at ${place} or onto PATH, and chmod +x it`,
    `install Go 1.25 or newer (https://go.dev/dl) where it can fetch modules: it builds ${MODULE}`,
    'set TEMPORAL_ADDRESS=host:7233 to a Temporal that runs',
  ].join('\n    - ');
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
