/** Reads the end of a log file, for the message of a failed start. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Returns the last non-empty lines of the file; an empty list without a file. */
export function logTail(file: string, lines = 10, fromByte = 0): string[] {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch {
    return [];
  }
  try {
    const size = fstatSync(fd).size;
    const start = Math.max(fromByte, size - 16_384);
    const buffer = Buffer.alloc(Math.max(0, size - start));
    readSync(fd, buffer, 0, buffer.length, start);
    return buffer
      .toString('utf8')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-lines);
  } finally {
    closeSync(fd);
  }
}
