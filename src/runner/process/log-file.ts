/** Reads the log file of a run folder, part by part. */
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import type { LogShare } from '../../domain/log-chunks.ts';
import type { LogOver, LogPart, LogPlace, LogReader } from '../runner.ts';
import { isCode, LOG, readSpec } from './run-folder.ts';

const PART_BYTES = 64 * 1024;
const NEWLINE = 10;

export function openLogFile(folder: string, uid: string, from: LogPlace, keep: LogShare): LogReader {
  let { offset } = from;
  return {
    async read({ toEnd }) {
      const part = await readPart(folder, uid, { from: offset, keep, toEnd });
      if (typeof part === 'object') ({ offset } = part.next);
      return part;
    },
    close: () => undefined,
  };
}

async function readPart(
  folder: string,
  uid: string,
  of: { from: number; keep: LogShare; toEnd: boolean },
): Promise<LogPart | LogOver | undefined> {
  const handle = await openIf(path.join(folder, LOG));
  if (!handle) {
    if (!of.toEnd) return undefined;
    // What never came to run has no log; what is gone had one.
    return (await readSpec(folder))?.uid === uid ? 'end' : 'gone';
  }
  await using _file = handle;
  const { size } = await handle.stat();
  const tail = size - of.keep.tail;
  const isBehind = of.from >= of.keep.head && of.from < tail;
  const at = isBehind ? tail : of.from;
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(PART_BYTES), 0, PART_BYTES, at);
  if (bytesRead === 0) return of.toEnd ? 'end' : undefined;
  const read = buffer.subarray(0, bytesRead);
  const line = isBehind ? read.indexOf(NEWLINE) + 1 : 0;
  const skipped = line < bytesRead ? line : 0;
  const bytes = wholeLines(read.subarray(skipped), of.toEnd);
  if (bytes.length === 0) return undefined;
  const offset = at + skipped;
  return { offset, bytes, next: { offset: offset + bytes.length, mark: null } };
}

/** So that no character is cut in two. What has no line's end yet goes as it is, up to its last whole character. */
function wholeLines(bytes: Buffer, toEnd: boolean): Buffer {
  const lines = bytes.lastIndexOf(NEWLINE) + 1;
  if (lines > 0) return bytes.subarray(0, lines);
  const whole = bytes.length - cutCharacter(bytes);
  return whole === 0 && toEnd ? bytes : bytes.subarray(0, whole);
}

/** How many bytes at its end begin a character of UTF-8 whose other bytes have not come. */
function cutCharacter(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

async function openIf(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
