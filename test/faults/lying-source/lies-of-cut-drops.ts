/** Lies of delivered files about their end: wrong totals, cuts, damaged and repeated streams. */

import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { bytes, type DropLie, lie, noTotal, part, total, unproven, withoutLast } from './drop-words.ts';
import { READ } from './lie.ts';
import { FAILED, PART, REJECTED } from './row-lie.ts';

export const TOTALS: readonly DropLie[] = [
  lie('nothing beside it', ['csv', 'ndjson'], unproven, noTotal),
  lie('cut off between lines', ['csv', 'ndjson'], unproven, noTotal, {
    rows: (story) => withoutLast(story, 4),
  }),
  lie('cut off in its middle, between lines', ['csv', 'ndjson'], unproven, noTotal, {
    rows: (story) => withoutLast(story, 60),
  }),
  lie('cut off between lines, and SOURCE_FILE_COMPLETE=true', ['csv', 'ndjson'], READ, noTotal, {
    rows: (story) => withoutLast(story, 4),
    environment: { SOURCE_FILE_COMPLETE: 'true' },
  }),
  ...(
    [
      ['with one too many', (count) => String(count + 1)],
      ['with one too few', (count) => String(count - 1)],
      ['of zero', () => '0'],
      ['that is huge', () => String(Number.MAX_SAFE_INTEGER)],
      ['that is negative', () => '-1'],
      ['that is empty', () => ''],
      ['that is not a number', () => 'all'],
      ['with decimals', (count) => `${count}.0`],
    ] as readonly [string, (count: number) => string][]
  ).map(([name, of]) => lie(`a total beside it ${name}`, ['csv', 'ndjson'], PART, total(of))),
];

export const CUTS: readonly DropLie[] = [
  lie('cut off in mid line', ['csv', 'web'], PART, (file) => {
    noTotal(file, undefined as never);
    file.bytes = file.bytes.subarray(0, -8);
  }),
  lie(
    'cut off in mid line',
    ['pattern'],
    PART,
    bytes((old) => old.subarray(0, -8)),
  ),
  lie('cut off in mid line', ['ndjson'], REJECTED, (file) => {
    file.total = null;
    file.bytes = file.bytes.subarray(0, -8);
  }),
  lie(
    'cut off in its middle',
    ['json', 'csv.gz'],
    PART,
    bytes((old) => part(old, 0.5)),
  ),
  lie(
    'its last byte is missing',
    ['json', 'csv.gz'],
    PART,
    bytes((old) => old.subarray(0, -1)),
  ),
  ...[0, 0.5, 0.97].map((share) =>
    lie(
      `cut off after ${share * 100} %`,
      ['parquet'],
      FAILED,
      bytes((old) => part(old, share)),
    ),
  ),
  lie(
    'a byte of gzip is another',
    ['csv.gz'],
    PART,
    bytes((old) => {
      const spoilt = Buffer.from(old);
      spoilt[old.length - 6] = (spoilt.at(-6) ?? 0) ^ 0xff;
      return spoilt;
    }),
  ),
  lie(
    'two streams of gzip',
    ['csv.gz'],
    unproven,
    bytes((old) => {
      const plain = gunzipSync(old);
      const at = plain.lastIndexOf('\n', plain.length / 2) + 1;
      return Buffer.concat([gzipSync(plain.subarray(0, at)), gzipSync(plain.subarray(at))]);
    }),
  ),
  lie(
    'zstd under the name of gzip',
    ['csv.gz'],
    READ,
    bytes((old) => zstdCompressSync(gunzipSync(old))),
  ),
  lie(
    'gzip under the name of CSV',
    ['csv'],
    READ,
    bytes((old) => gzipSync(old)),
  ),
  lie(
    'plain under the name of gzip',
    ['csv.gz'],
    unproven,
    bytes((old) => gunzipSync(old)),
  ),
];
