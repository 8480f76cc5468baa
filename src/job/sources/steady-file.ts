/** Reads a file once and detects whether it is written meanwhile. */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { JobError, reasonOf } from '../job-error.ts';
import { waitFor } from '../wait.ts';

const CHUNK_BYTES = 1024 * 1024;

export type SteadyFile = {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Compares size, modification time and inode with those at opening. */
  readonly isUnchanged: () => Promise<boolean>;
  /**
   * For a file written less than `settleMs` ago, or in the future, waits until `settleMs` have passed since opening.
   * @returns whether the file at the path is still the same. Callable after `close`
   */
  readonly settles: () => Promise<boolean>;
  readonly close: () => Promise<void>;
};

/** @throws JobError `sourceUnreachable` */
export async function openSteadyFile(
  path: string,
  { stop, settleMs, onWait }: { stop: AbortSignal; settleMs: number; onWait: (words: string | null) => void },
): Promise<SteadyFile> {
  const handle = await openToRead(path);
  try {
    const first = await handle.stat();
    if (!first.isFile()) throw unreachable(path, new Error('it is not a regular file'));
    const looked = performance.now();
    const isOld = Date.now() - first.mtimeMs >= settleMs;
    return {
      chunks: chunksOf(handle, path, stop),
      isUnchanged: async () => isSame(first, await handle.stat()),
      async settles() {
        if (isOld) return true;
        const left = settleMs - (performance.now() - looked);
        if (left > 0) {
          onWait(
            `${path} was written recently: waiting ${Math.ceil(left / 1000)} s to check that it stays unchanged`,
          );
          await waitFor(left, stop);
          onWait(null);
        }
        // The path may name another file by now.
        const now = await stat(path).catch(() => null);
        return now !== null && isSame(first, now);
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Without O_NONBLOCK, opening a pipe blocks until it has a writer. */
const AT_ONCE = constants.O_RDONLY | constants.O_NONBLOCK;

async function openToRead(path: string): Promise<FileHandle> {
  try {
    return await open(path, AT_ONCE);
  } catch (error) {
    throw unreachable(path, error);
  }
}

function unreachable(path: string, error: unknown): JobError {
  return new JobError(
    'sourceUnreachable',
    `cannot read SOURCE_FILE ${path}: ${reasonOf(error)} [unreachable]`,
    {
      cause: error,
    },
  );
}

function isSame(one: Stats, other: Stats): boolean {
  return one.size === other.size && one.mtimeMs === other.mtimeMs && one.ino === other.ino;
}

async function* chunksOf(handle: FileHandle, path: string, stop: AbortSignal): AsyncGenerator<Uint8Array> {
  for (;;) {
    stop.throwIfAborted();
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, null).catch((error: unknown) => {
      throw unreachable(path, error);
    });
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}
