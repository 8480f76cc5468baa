/**
 * Keeps the log file of a running step from filling the disk. The program writes to the file directly; the middle, which
 * the reader (log-file.ts) skips, is punched out of the file and returned to the file system. Offsets do not change.
 */
import { execFile } from 'node:child_process';
import { appendFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { LogShare } from '../../domain/log-chunks.ts';

const MIB = 1024 ** 2;
/** Bytes after the head and before the tail that a reader may be reading meanwhile. */
const MARGIN = { head: MIB, tail: 8 * MIB };
/** Least growth for another fallocate call. */
const STEP = 4 * MIB;
const TRIM_EVERY_MS = 250;
const LIMIT_MS = 10_000;

export type BoundedLog = {
  /** Trims the file once more, after the program's end, and stops. */
  close(): Promise<void>;
};

/** @param keep the readable head and tail; the file uses up to 15 MiB more, plus the output of 250 ms */
export function boundLog(file: string, keep: LogShare): BoundedLog {
  const from = roundUp(keep.head + MARGIN.head);
  let punchedTo = from;
  let timer: NodeJS.Timeout | undefined;
  let trimming = Promise.resolve();
  let isUnable = false;

  async function trim(): Promise<void> {
    if (isUnable) return;
    const { size } = await stat(file);
    const end = roundUp(size - keep.tail - MARGIN.tail) - MIB;
    if (end - punchedTo < STEP) return;
    try {
      const range = ['--offset', String(punchedTo), '--length', String(end - punchedTo)];
      await promisify(execFile)('fallocate', ['--punch-hole', ...range, file], { timeout: LIMIT_MS });
      punchedTo = end;
    } catch (error) {
      isUnable = true;
      await appendFile(file, `syncrator: this log may fill the disk, because ${whyNot(error)}\n`);
    }
  }

  const again = () => {
    timer = setTimeout(() => {
      // The next run may succeed where this one failed.
      trimming = trim()
        .catch(() => undefined)
        .finally(again);
    }, TRIM_EVERY_MS);
  };
  again();
  return {
    async close() {
      await trimming;
      clearTimeout(timer);
      await trim().catch(() => undefined);
    },
  };
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / MIB) * MIB;
}

function whyNot(error: unknown): string {
  const { code, stderr, message } = error as { code?: unknown; stderr?: string; message: string };
  return code === 'ENOENT'
    ? 'fallocate (package util-linux) is missing'
    : (stderr ?? message).trim().slice(0, 300);
}
