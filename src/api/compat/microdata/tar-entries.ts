/**
 * Lists the entries of a tar file by its headers alone, skipping the data between them.
 * tar-stream stays out: it reads all data, while datasets may be many GB and the headers are a fraction of that.
 */
import type { FileHandle } from 'node:fs/promises';

export type TarEntry = { readonly name: string; readonly isFile: boolean };

/** The reason why a file is not a valid tar file, in words for its author. */
export class TarFault extends Error {}

const BLOCK = 512;
/** Bytes read at once, which hold several headers of small files. */
const WINDOW = 16 * 1024;
/** Bytes of a name stored in its own blocks. */
const MOST_EXTRA = 1024 * 1024;
/** Types without content, whatever size they state: links, devices, folders and pipes. */
const WITHOUT_CONTENT = new Set(['1', '2', '3', '4', '5', '6']);
/** Types of files; `\0` marked a file before there were types. */
const FILES = new Set(['0', '\0', '7', 'S']);

/**
 * Reads ustar, pax, GNU and the older form. Reads every header to the end, so that a file still being copied is detected.
 * @throws TarFault for an invalid or incomplete tar file, or more than `most` entries; the signal's reason
 */
export async function* tarEntries(
  file: FileHandle,
  of: { size: number; most: number; signal: AbortSignal },
): AsyncGenerator<TarEntry> {
  const read = windowOver(file, of.size);
  let next: { name?: string; size?: number } = {};
  let count = 0;
  for (let at = 0; ; ) {
    of.signal.throwIfAborted();
    if (at + BLOCK > of.size) throw new TarFault(at === 0 ? 'not a tar file' : 'cut off');
    const header = await read(at, BLOCK);
    at += BLOCK;
    if (header.every((byte) => byte === 0)) return;
    if (!isSummedUp(header)) throw new TarFault(at === BLOCK ? 'not a tar file' : 'broken within');
    if (++count > of.most) throw new TarFault(`more than ${of.most} entries`);
    const type = textOf(header.subarray(156, 157)) || '\0';
    // In the older form a folder is a file whose name ends with a slash.
    const stated = numberOf(header.subarray(124, 136));
    const isExtra = 'xgLK'.includes(type);
    const size = WITHOUT_CONTENT.has(type) ? 0 : isExtra ? stated : (next.size ?? stated);
    if (type === 'S') at = await afterSparseMap(read, header, at);
    const end = at + Math.ceil(size / BLOCK) * BLOCK;
    if (end > of.size) throw new TarFault('cut off');
    if (isExtra) {
      if (size > MOST_EXTRA) throw new TarFault('a name of more than 1 MiB');
      if (type === 'x') next = { ...next, ...paxOf(await read(at, size)) };
      if (type === 'L') next = { ...next, name: textOf(await read(at, size)) };
    } else {
      const name = next.name ?? nameOf(header);
      next = {};
      yield { name, isFile: FILES.has(type) && !name.endsWith('/') };
    }
    at = end;
  }
}

type Read = (at: number, length: number) => Promise<Buffer>;

function windowOver(file: FileHandle, size: number): Read {
  let window = Buffer.alloc(0);
  let from = 0;
  return async (at, length) => {
    if (at < from || at + length > from + window.length) {
      const bytes = Buffer.alloc(Math.min(Math.max(length, WINDOW), size - at));
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, at + filled);
        if (bytesRead === 0) throw new TarFault('cut off'); // it became shorter while it was read
        filled += bytesRead;
      }
      window = bytes;
      from = at;
    }
    return window.subarray(at - from, at - from + length);
  };
}

/** Checks the sum of all bytes, counting the sum's own field as blanks. */
function isSummedUp(header: Buffer): boolean {
  if (!/^[0-7 ]*$/.test(textOf(header.subarray(148, 156)))) return false;
  let sum = 0;
  for (const [at, byte] of header.entries()) sum += at >= 148 && at < 156 ? 32 : byte;
  return sum === numberOf(header.subarray(148, 156));
}

/** Reads octal digits, or binary if the first bit is set. */
function numberOf(field: Buffer): number {
  const [first = 0] = field;
  let value: number;
  if ((first & 0x80) !== 0) {
    value = first & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
  } else {
    const digits = textOf(field).trim();
    if (!/^[0-7]*$/.test(digits)) throw new TarFault('broken within');
    value = digits === '' ? 0 : Number.parseInt(digits, 8);
  }
  if (!Number.isSafeInteger(value)) throw new TarFault('broken within');
  return value;
}

function nameOf(header: Buffer): string {
  const name = textOf(header.subarray(0, 100));
  // GNU stores times where ustar stores the beginning of the name.
  const prefix = header.toString('latin1', 257, 263) === 'ustar\0' ? textOf(header.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Up to the first NUL. */
function textOf(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? field.length : end);
}

/** `<length> <key>=<value>\n`, the length in bytes and of all of it. */
function paxOf(records: Buffer): { name?: string; size?: number } {
  const found: Record<string, string> = {};
  for (let at = 0; at < records.length && records[at] !== 0; ) {
    const space = records.indexOf(' ', at);
    const length = Number(/^\d{1,7}$/.exec(records.toString('latin1', at, Math.max(at, space)))?.[0]);
    const record = records.toString('utf8', space + 1, at + length - 1);
    const equals = record.indexOf('=');
    if (!(at + length <= records.length && space < at + length) || equals < 1)
      throw new TarFault('broken within');
    found[record.slice(0, equals)] = record.slice(equals + 1);
    at += length;
  }
  const name = found['GNU.sparse.name'] ?? found['path'];
  const size = found['size'];
  if (size !== undefined && !/^\d{1,15}$/.test(size)) throw new TarFault('broken within');
  return { ...(name === undefined ? {} : { name }), ...(size === undefined ? {} : { size: Number(size) }) };
}

/** Skips the map of an old GNU sparse file: each block says whether another one follows. */
async function afterSparseMap(read: Read, header: Buffer, from: number): Promise<number> {
  let at = from;
  let goesOn = header[482] !== 0;
  while (goesOn) {
    const block = await read(at, BLOCK);
    if (block.length < BLOCK) throw new TarFault('cut off');
    goesOn = block[504] !== 0;
    at += BLOCK;
  }
  return at;
}
