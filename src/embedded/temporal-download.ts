/** Lets Temporal's SDK download the CLI, in a process of its own that can be given up. */
import { execFile } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { withSignOfLife } from './sign-of-life.ts';

const LIMIT_MS = 60_000;

/**
 * Downloads `temporal` into `bin`, whole or not at all.
 * @throws Error in one line, after at most a minute
 */
export async function downloadTemporal(
  bin: string,
  onProgress: (line: string) => void,
  signal?: AbortSignal,
): Promise<string> {
  // A folder of its own: the SDK waits for other downloads by a marker file that a killed one leaves behind.
  const folder = mkdtempSync(path.join(bin, 'download-'));
  try {
    await withSignOfLife('downloading temporal', onProgress, () =>
      // The SDK offers no way to stop a download that hangs, and it starts the server it fetched: hence a process.
      promisify(execFile)(
        process.execPath,
        [path.join(import.meta.dirname, 'temporal-download-main.ts'), folder],
        {
          timeout: LIMIT_MS,
          killSignal: 'SIGKILL',
          ...(signal === undefined ? {} : { signal }),
        },
      ),
    );
    const file = readdirSync(folder).find(
      (name) => name.startsWith('temporal-') && !name.endsWith('.downloading'),
    );
    if (file === undefined) throw new Error('nothing was stored');
    const draft = path.join(folder, 'temporal');
    copyFileSync(path.join(folder, file), draft);
    chmodSync(draft, 0o755);
    renameSync(draft, path.join(bin, 'temporal'));
    return path.join(bin, 'temporal');
  } catch (cause) {
    const { killed, stderr } = cause as { killed?: boolean; stderr?: string };
    const why = killed
      ? `no end after ${LIMIT_MS / 1000} s`
      : (stderr?.trim().split('\n').at(-1) ?? (cause instanceof Error ? cause.message : String(cause)));
    throw new Error(`the download of temporal failed: ${why.replace(/ for url.*/, '').slice(0, 200)}`, {
      cause,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
