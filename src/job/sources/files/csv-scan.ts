/** Counts the records of a CSV file as RFC 4180 divides it, and reads its header. */
import { isUtf8 } from 'node:buffer';
import { CutFileError } from './cut-file.ts';
import type { Scan, Scanned } from './scanned.ts';
import { cellsOf, separatorOf } from './csv-header.ts';

const [QUOTE, NEWLINE, RETURN, SPACE] = [0x22, 0x0a, 0x0d, 0x20];
const MOST_HEADER_BYTES = 1024 * 1024;

/** @param fixed the separator; null: the header tells it */
export function createCsvScan(fixed: string | null): Scan {
  let header: Scanned['header'];
  const begun: Uint8Array[] = [];
  let inHeaderQuotes = false;
  let headerBytes = 0;
  let counter: ReturnType<typeof createCounter> | null = null;

  /** @returns where the records begin */
  function takeHeader(bytes: Uint8Array): number {
    for (let at = 0; at < bytes.length; at += 1) {
      if (bytes[at] === QUOTE) inHeaderQuotes = !inHeaderQuotes;
      if (bytes[at] === NEWLINE && !inHeaderQuotes) {
        endHeader(bytes.subarray(0, at));
        return at + 1;
      }
    }
    headerBytes += bytes.length;
    if (headerBytes > MOST_HEADER_BYTES) throw new CutFileError('its header has no end within 1 MiB');
    begun.push(bytes);
    return bytes.length;
  }

  function endHeader(rest: Uint8Array): void {
    const bytes = Buffer.concat([...begun, rest]);
    if (!isUtf8(bytes)) throw new CutFileError('its header is not UTF-8; convert the file');
    const text = bytes
      .toString('utf8')
      .replace(/^\uFEFF/, '')
      .replace(/\r$/, '');
    if (/\r(?!\n)/.test(text))
      throw new CutFileError('its lines end with CR alone; end them with LF or CRLF');
    const separator = fixed ?? separatorOf(text);
    header = { names: cellsOf(text, separator), separator };
    counter = createCounter(separator.charCodeAt(0));
  }

  return {
    take(bytes) {
      const from = counter === null ? takeHeader(bytes) : 0;
      counter?.take(bytes, from);
    },
    end() {
      if (counter === null) {
        if (inHeaderQuotes) throw new CutFileError('a quote in its header is never closed');
        endHeader(new Uint8Array());
        return { records: 0, header: header ?? { names: [], separator: ',' }, lineEnded: false };
      }
      return { ...counter.end(), ...(header === undefined ? {} : { header }) };
    },
  };
}

/** Where a byte stands. Spaces before an opening quote belong to neither. */
const [FRESH, PLAIN, QUOTED, CLOSED] = [0, 1, 2, 3] as const;

function createCounter(separator: number) {
  let where: 0 | 1 | 2 | 3 = FRESH;
  let records = 0;
  let isBlank = true;
  /** Line breaks so far, with that of the header. */
  let lines = 1;
  let openedAt = 0;
  /** Spaces stand before the value, so that a quote in it may be one of RFC 4180 or a sign of the text. */
  let isSpaced = false;
  let firstBroken = Infinity;
  let last = NEWLINE;
  /** Of the chunk in hand, and of the record in hand. */
  let [chunkAt, recordAt] = [0, 0];
  let longest = 0;
  return {
    take(bytes: Uint8Array, from: number): void {
      for (let at = from; at < bytes.length; at += 1) {
        const byte = bytes[at] ?? 0;
        if (byte === NEWLINE) lines += 1;
        if (where === QUOTED) {
          if (byte === QUOTE) where = CLOSED;
          else if (byte !== NEWLINE) continue;
          else if (isSpaced) throw doubtfulQuote(openedAt);
          else firstBroken = Math.min(firstBroken, openedAt);
        } else if (byte === NEWLINE) {
          if (!isBlank) records += 1;
          longest = Math.max(longest, chunkAt + at - recordAt);
          recordAt = chunkAt + at + 1;
          isBlank = true;
          where = FRESH;
          isSpaced = false;
        } else if (byte === QUOTE && where !== PLAIN) {
          // Two quotes within quotes are one sign.
          if (where === FRESH) openedAt = lines + 1;
          where = QUOTED;
          isBlank = false;
        } else if (byte === separator) {
          where = FRESH;
          isSpaced = false;
          isBlank = false;
        } else if (byte !== RETURN) {
          if (byte === SPACE) isSpaced ||= where === FRESH;
          else where = where === CLOSED ? CLOSED : PLAIN;
          isBlank = false;
        }
      }
      last = bytes.at(-1) ?? last;
      chunkAt += bytes.length;
    },
    end(): Omit<Scanned, 'header'> {
      if (where === QUOTED)
        throw new CutFileError(`the quote that opens in line ${openedAt} is never closed`);
      longest = Math.max(longest, chunkAt - recordAt);
      return { records: records + (isBlank ? 0 : 1), lineEnded: last === NEWLINE, firstBroken, longest };
    },
  };
}

/** Two values with a stray quote each would become one, and the records between them a part of it. */
function doubtfulQuote(line: number): CutFileError {
  return new CutFileError(
    `the quote behind a space in line ${line} opens a value of several lines; put no space before it, or write it twice within quotes`,
  );
}
