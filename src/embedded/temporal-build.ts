/** Builds the `temporal` CLI with Go: minutes on a cold machine, so it says how long it has been at it. */
import { execFile } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { withSignOfLife } from './sign-of-life.ts';

// Newer ones cannot be built by `go install`: their go.mod has a replace.
const MODULE = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';
const LIMIT_MS = 20 * 60_000;

/**
 * Builds into a folder of its own and renames, so that two builders never see half a file.
 * @throws Error with the last line Go said
 */
export async function buildTemporal(
  go: string,
  bin: string,
  onProgress: (line: string) => void,
  signal?: AbortSignal,
): Promise<string> {
  const folder = mkdtempSync(path.join(bin, 'build-'));
  try {
    await withSignOfLife(`go install ${MODULE} (about 3 minutes, once)`, onProgress, () =>
      promisify(execFile)(go, ['install', MODULE], {
        env: { ...process.env, GOBIN: folder },
        timeout: LIMIT_MS,
        maxBuffer: 64 * 1024 * 1024,
        ...(signal === undefined ? {} : { signal }),
      }),
    );
    renameSync(path.join(folder, 'temporal'), path.join(bin, 'temporal'));
    return path.join(bin, 'temporal');
  } catch (cause) {
    const { stderr } = cause as { stderr?: string };
    const why = stderr?.trim().split('\n').at(-1) ?? (cause instanceof Error ? cause.message : String(cause));
    throw new Error(`go install ${MODULE} failed: ${why.slice(0, 300)}`, { cause });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
