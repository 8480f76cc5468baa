/** Reads the log file of a run folder, part by part. */
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import type { LogShare } from '../../domain/log-chunks.ts';
import { END_BYTES } from '../exit-diagnosis.ts';
import type { LogOver, LogPart, LogPosition, LogReader } from '../runner.ts';
import { firstWhole, SECRET_BEGUN } from '../../domain/mask.ts';
import { isCode, LOG, readSpec } from './run-folder.ts';

const PART_BYTES = 64 * 1024;
/** Longest distance from a part's end at which a credential, or a URL with one, may begin and continue beyond the end. */
const SEAM_BYTES = 4_096;
const URL_BYTES = 512;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;

export function openLogFile(folder: string, uid: string, from: LogPosition, keep: LogShare): LogReader {
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
    // A run that never started has no log; a deleted run had one.
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
  const begin = isBehind ? firstWhole(read.toString('latin1')) : 0;
  const skipped = begin < bytesRead ? begin : 0;
  const bytes = wholeWords(read.subarray(skipped), of.toEnd);
  if (bytes.length === 0) return undefined;
  const offset = at + skipped;
  return { offset, bytes, next: { offset: offset + bytes.length, mark: null } };
}

/**
 * Returns the bytes up to the end of the last line, else of the last word, so that no character and no credential is cut
 * in two. Only a part without any such end, or one at the end of the log, is returned as it is.
 */
function wholeWords(bytes: Buffer, toEnd: boolean): Buffer {
  const lines = bytes.lastIndexOf(NEWLINE) + 1;
  if (lines > 0) return bytes.subarray(0, lines);
  const isFull = toEnd || bytes.length >= PART_BYTES;
  const words = Math.max(bytes.lastIndexOf(SPACE) + 1, bytes.lastIndexOf(RETURN) + 1);
  if (words > 0) {
    const whole = withoutSecretBegun(bytes.subarray(0, words));
    if (whole.length > 0 || !isFull) return whole;
    return bytes.subarray(0, words);
  }
  if (!toEnd && bytes.length < PART_BYTES) return bytes.subarray(0, 0);
  // At the end of the log there is nothing to wait for; a full part continues in the next one.
  const whole =
    (toEnd && bytes.length < PART_BYTES ? 0 : lastSeam(bytes)) || bytes.length - cutCharacter(bytes);
  return whole === 0 && toEnd ? bytes : bytes.subarray(0, whole);
}

/** Drops trailing words that introduce a secret: masking needs them in the same part as the secret. */
function withoutSecretBegun(bytes: Buffer): Buffer {
  const tail = bytes.subarray(-SEAM_BYTES).toString('latin1');
  const begun = SECRET_BEGUN.exec(tail);
  return begun ? bytes.subarray(0, bytes.length - tail.length + begun.index) : bytes;
}

/** Position at which a word that fills a whole part can be cut without cutting a credential in it; 0 if there is none. */
function lastSeam(bytes: Buffer): number {
  const from = Math.max(0, bytes.length - SEAM_BYTES);
  const tail = bytes.subarray(from).toString('latin1');
  const seam = /^(.*[,;&|{}()[\]<>"'])[^,;&|{}()[\]<>"']*$/s.exec(tail)?.[1]?.length ?? 0;
  // A password may contain any of these characters, so a URL that begins shortly before is kept whole.
  const url = tail.lastIndexOf('//', seam);
  const scheme = url < 0 ? '' : (/[\w+.-]*:?$/.exec(tail.slice(0, url))?.[0] ?? '');
  const cut = url >= 0 && seam - url < URL_BYTES ? url - scheme.length : seam;
  return cut <= 0 ? 0 : from + cut;
}

/** Number of bytes at the end that belong to an incomplete UTF-8 character. */
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

/** Last lines of the log, for the diagnosis of a program without a report; undefined without output. */
export async function readLogEnd(folder: string): Promise<string | undefined> {
  const handle = await openIf(path.join(folder, LOG));
  if (!handle) return undefined;
  await using _file = handle;
  const from = Math.max(0, (await handle.stat()).size - END_BYTES);
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(END_BYTES), 0, END_BYTES, from);
  // Trimmed first: after the newline of one long last line nothing would be left.
  const read = buffer.subarray(0, bytesRead).toString().trimEnd();
  return read.slice(from === 0 ? 0 : firstWhole(read)).trim() || undefined;
}
