/**
 * Looks at the bytes of a text file by itself, before DuckDB reads it: DuckDB leaves out the rows behind an open quote, or
 * behind the end of a cut stream, without a word. Both must find as many records.
 */
import type { FileFormat } from './format.ts';
import { createCsvScan } from './csv-scan.ts';
import { CutFileError } from './cut-file.ts';
import type { Scan } from './scanned.ts';

const NEWLINE = 0x0a;

export function createScan(format: Exclude<FileFormat, 'parquet'>): Scan {
  if (format === 'ndjson') return createLineScan();
  return format === 'json' ? createArrayScan() : createCsvScan(format === 'tsv' ? '\t' : null);
}

/** Counts lines that are not blank. */
function createLineScan(): Scan {
  let records = 0;
  let isBlank = true;
  let last = NEWLINE;
  return {
    take(bytes) {
      for (let at = 0; at < bytes.length; ) {
        const newline = bytes.indexOf(NEWLINE, at);
        const end = newline < 0 ? bytes.length : newline;
        while (isBlank && at < end) isBlank = isSpace(bytes[at++]);
        if (newline < 0) break;
        if (!isBlank) records += 1;
        isBlank = true;
        at = newline + 1;
      }
      last = bytes.at(-1) ?? last;
    },
    end: () => ({ records: records + (isBlank ? 0 : 1), lineEnded: last === NEWLINE }),
  };
}

/** Checks that the file begins and ends as an array: DuckDB accepts one that is cut behind a comma. */
function createArrayScan(): Scan {
  let first: number | undefined;
  let last: number | undefined;
  return {
    take(bytes) {
      for (let at = 0; first === undefined && at < bytes.length; at += 1)
        if (!isSpace(bytes[at]) && !isMark(bytes, at)) first = bytes[at];
      for (let at = bytes.length - 1; at >= 0; at -= 1) {
        if (isSpace(bytes[at])) continue;
        last = bytes[at];
        return;
      }
    },
    end() {
      if (first === undefined) throw new CutFileError('it is empty; a JSON file without records holds []');
      if (first !== 0x5b)
        throw new CutFileError(
          'it is no JSON array [ … ]; set SOURCE_FORMAT=ndjson if each line holds one object',
        );
      if (last !== 0x5d) throw new CutFileError('its JSON array has no end');
      return { records: null, lineEnded: null };
    },
  };
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** A byte of the byte order mark at the start. */
function isMark(bytes: Uint8Array, at: number): boolean {
  return at < 3 && bytes[at] === [0xef, 0xbb, 0xbf][at];
}
