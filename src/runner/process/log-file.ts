/** Reads the log file of a run folder, part by part. */
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import type { LogShare } from '../../domain/log-chunks.ts';
import type { LogOver, LogPart, LogPlace, LogReader } from '../runner.ts';
import { isCode, LOG, readSpec } from './run-folder.ts';

const PART_BYTES = 64 * 1024;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;

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
  const begin = isBehind ? read.indexOf(NEWLINE) + 1 || read.indexOf(SPACE) + 1 : 0;
  const skipped = begin < bytesRead ? begin : 0;
  const bytes = wholeWords(read.subarray(skipped), of.toEnd);
  if (bytes.length === 0) return undefined;
  const offset = at + skipped;
  return { offset, bytes, next: { offset: offset + bytes.length, mark: null } };
}

/**
 * Up to the end of the last line, else of the last word: neither a character nor a credential is cut in two. Only what
 * fills a part without an end, or has the log's end behind it, goes as it is.
 */
function wholeWords(bytes: Buffer, toEnd: boolean): Buffer {
  const lines = bytes.lastIndexOf(NEWLINE) + 1;
  const words = Math.max(lines, bytes.lastIndexOf(SPACE) + 1, bytes.lastIndexOf(RETURN) + 1);
  if (lines > 0 || words > 0) return bytes.subarray(0, lines || words);
  if (!toEnd && bytes.length < PART_BYTES) return bytes.subarray(0, 0);
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
