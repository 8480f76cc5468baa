/** Rotates log files: a full file becomes `<file>.1` and replaces the previous one. */
import { closeSync, copyFileSync, openSync, renameSync, statSync, truncateSync, writeSync } from 'node:fs';

/** Size limit of one file; with its predecessor a log uses twice as much. */
const MAX_LOG_BYTES = 20 * 1024 * 1024;

const LOOK_MS = 10_000;

export type RotatingLog = { write(line: string): void; end(): void };

/** Opens a log that this process writes. @param onError called with the first error of a series of failed writes */
export function openRotatingLog(
  file: string,
  onError: (error: Error) => void,
  maxBytes = MAX_LOG_BYTES,
): RotatingLog {
  let fd: number | undefined;
  let size = 0;
  let isFailing = false;
  const open = () => {
    if (sizeOf(file) > maxBytes) renameSync(file, `${file}.1`);
    size = sizeOf(file);
    return openSync(file, 'a', 0o600);
  };
  const end = () => {
    if (fd !== undefined) closeSync(fd);
    fd = undefined;
  };
  const log: RotatingLog = {
    write(line) {
      try {
        if (size > maxBytes) end();
        fd ??= open();
        size += writeSync(fd, line);
        isFailing = false;
      } catch (error) {
        if (!isFailing && error instanceof Error) onError(error);
        isFailing = true;
      }
    },
    end,
  };
  log.write(''); // reports an unwritable file at once
  return log;
}

/**
 * Bounds logs that other processes write and hold open for appending: copies a full file to `<file>.1` and truncates it.
 * @param onError called with the first error of a series for each file
 * @returns a function that ends the bounding
 */
export function boundLogs(
  files: readonly string[],
  onError: (error: Error) => void,
  maxBytes = MAX_LOG_BYTES,
) {
  const failing = new Set<string>();
  const look = () => {
    for (const file of files) {
      try {
        if (sizeOf(file) > maxBytes) setAside(file);
        failing.delete(file);
      } catch (error) {
        if (failing.has(file)) continue;
        failing.add(file);
        onError(error instanceof Error ? error : new Error(String(error)));
      }
    }
  };
  look();
  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function setAside(file: string): void {
  copyFileSync(file, `${file}.1`);
  truncateSync(file);
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
