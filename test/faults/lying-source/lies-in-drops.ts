/** Lies within delivered files: their records, headers and forms. */

import { csvLine, type Dropped, objectOf } from './drop-place.ts';
import { bytes, CSV, DISK, type DropLie, header, lie, one, oneMore, text, unproven } from './drop-words.ts';
import { but, ends, READ } from './lie.ts';
import { AWAY, FAILED, PART, REJECTED, WRONG } from './row-lie.ts';
import { CANARY, type Story } from './story.ts';

export const ROWS: readonly DropLie[] = [
  lie('a record twice', ['csv', 'ndjson'], WRONG, (file, story) => {
    const twice = one(story);
    file.total = null;
    file.bytes = Buffer.concat([
      file.bytes,
      Buffer.from(file.name.endsWith('.csv') ? csvLine(twice) : `${objectOf(twice)}\n`),
    ]);
  }),
  lie('every record backwards', ['csv', 'ndjson', 'parquet', 'web'], READ, null, {
    rows: ({ next }) => next.toReversed(),
  }),
  ...(['csv', 'ndjson'] as const).flatMap((drop) => [
    lie('a record without an id', [drop], REJECTED, withoutId),
    lie('a record without an id, MAX_REJECTED=5', [drop], unproven, withoutId, {
      setAside: { row: one, as: 'nameless' },
      silent: (story) => [one(story)],
      environment: { MAX_REJECTED: '5' },
    }),
    lie('a record without a time', [drop], but(REJECTED, 'ids'), withoutTime),
    lie('a record without a time, MAX_REJECTED=5', [drop], READ, withoutTime, {
      setAside: { row: one, as: 'by id' },
      environment: { MAX_REJECTED: '5' },
    }),
  ]),
  lie('a line with too few values', CSV, REJECTED, oneMore('zz\n')),
  lie('a line with too many values', CSV, REJECTED, oneMore(`"zz",${CANARY},x,x,x\n`)),
  lie(
    'a line that is not UTF-8',
    ['csv', 'web'],
    REJECTED,
    oneMore(Buffer.from('"zz","ÿ",2026-11-29T00:00:00Z\n', 'latin1')),
  ),
  lie('a quote that is never closed', ['csv', 'web'], ends('failed', 'incompleteListing'), (file) => {
    file.total = null;
    file.bytes = Buffer.concat([file.bytes, Buffer.from(`"zz","${CANARY}\n`)]);
  }),
  lie('a line that is not JSON', ['ndjson'], REJECTED, oneMore(`not json ${CANARY}\n`)),
  lie(
    'a value that is no object',
    ['json'],
    REJECTED,
    text((old) => old.replace(/\]$/, ',[1]]')),
  ),
];

function withoutId(file: Dropped, story: Story): void {
  const { id } = one(story);
  const name = file.name.endsWith('.csv') ? [`\n"${id}",`, '\n,'] : [`{"id":"${id}",`, '{"nr":1,'];
  file.bytes = Buffer.from(file.bytes.toString().replace(name[0] ?? '', name[1] ?? ''));
}

function withoutTime(file: Dropped, story: Story): void {
  const row = one(story);
  const isCsv = file.name.endsWith('.csv');
  const [whole, bare] = isCsv
    ? [csvLine(row), csvLine({ ...row, updated_at: '' })]
    : [objectOf(row), objectOf(row).replace(/"updated_at":"[^"]*",/, '')];
  file.bytes = Buffer.from(file.bytes.toString().replace(whole, bare));
}

export const HEADERS: readonly DropLie[] = [
  lie(
    'the column id has another name',
    CSV,
    WRONG,
    header((line) => line.replace('id', 'nr')),
  ),
  lie(
    'the column updated_at has another name',
    CSV,
    WRONG,
    header((line) => line.replace('updated_at', 'time')),
  ),
  lie(
    'no header',
    ['csv', 'web'],
    WRONG,
    text((old) => old.slice(old.indexOf('\n') + 1)),
  ),
  lie(
    'a header of semicolons',
    CSV,
    ends('notConfigured', 'recordsRejected'),
    header((line) => line.replaceAll(',', ';')),
  ),
  lie(
    'a header with a column too many',
    CSV,
    REJECTED,
    header((line) => `${line},more`),
  ),
  lie(
    'a header with two columns of one name',
    CSV,
    WRONG,
    header((line) => line.replace('name', 'id')),
  ),
  lie(
    'a header with a column without a name',
    CSV,
    WRONG,
    header((line) => line.replace('name', '')),
  ),
  lie(
    'a column has another name',
    ['csv', 'web'],
    READ,
    header((line) => line.replace('name', 'title')),
    {
      reads: ({ json, ...row }) => ({ ...row, json: json.replace('{"name":', '{"title":') }),
    },
  ),
  lie('the columns in another order', ['csv', 'web'], READ, (file, { next }) => {
    const lines = next.map((row) =>
      csvLine(row)
        .trim()
        .replace(/^("[^"]*"),(.*),([^,]*)$/, '$3,$1,$2\n'),
    );
    file.bytes = Buffer.from(`updated_at,id,name\n${lines.join('')}`);
  }),
  lie('the header in its middle again', ['csv', 'web'], but(REJECTED, 'ids'), (file, story) => {
    const old = file.bytes.toString();
    const at = old.indexOf('\n', old.length / 2) + 1;
    oneMore('')(file, story);
    file.bytes = Buffer.from(`${old.slice(0, at)}id,name,updated_at\n${old.slice(at)}`);
  }),
  lie(
    'the key id has another name',
    ['ndjson', 'json'],
    WRONG,
    text((old) => old.replaceAll('"id":', '"nr":')),
  ),
  lie(
    'the key updated_at has another name',
    ['ndjson', 'json'],
    but(REJECTED, 'ids'),
    text((old) => old.replaceAll('"updated_at":', '"time":')),
  ),
];

export const FORMS: readonly DropLie[] = [
  lie(
    'a byte order mark',
    ['csv', 'ndjson', 'web'],
    READ,
    text((old) => `\ufeff${old}`),
  ),
  lie(
    'lines that end with CRLF',
    ['csv', 'ndjson', 'web'],
    READ,
    text((old) => old.replaceAll('\n', '\r\n')),
  ),
  lie(
    'lines that end with CR alone',
    ['csv'],
    PART,
    text((old) => old.replaceAll('\n', '\r')),
  ),
  lie(
    'blank lines between',
    ['ndjson'],
    READ,
    text((old) => old.replaceAll('\n', '\n\n')),
  ),
  lie(
    'UTF-16',
    ['csv', 'ndjson', 'json', 'web'],
    FAILED,
    bytes((old) => Buffer.from(old.toString(), 'utf16le')),
  ),
  lie(
    'a page of HTML',
    [...DISK.filter((drop) => drop !== 'parquet'), 'web'],
    FAILED,
    bytes(() => `<html>${CANARY}</html>`),
  ),
  lie(
    'a page of HTML',
    ['parquet'],
    FAILED,
    bytes(() => `<html>${CANARY}</html>`),
  ),
  lie(
    'a zip archive',
    ['csv', 'ndjson', 'json'],
    FAILED,
    bytes(() => Buffer.from(`PK\x03\x04${CANARY}`)),
  ),
  lie(
    'a JSON array',
    ['ndjson'],
    FAILED,
    text((old) => `[${old.trim().split('\n').join(',')}]`),
  ),
  lie(
    'lines of JSON',
    ['json'],
    PART,
    text((old) => old.slice(1, -1).replaceAll(',\n', '\n')),
  ),
  lie(
    'zeros',
    ['csv', 'ndjson', 'json', 'parquet'],
    ends('failed', 'notConfigured', 'recordsRejected'),
    bytes((old) => Buffer.alloc(old.length)),
  ),
  lie(
    'no byte',
    ['csv', 'json', 'pattern', 'web'],
    ends('notConfigured', 'incompleteListing'),
    bytes(() => ''),
  ),
  lie(
    'no byte, and no total',
    ['ndjson'],
    unproven,
    (file) => Object.assign(file, { bytes: '', total: null }),
    {
      rows: () => [],
    },
  ),
  lie('a directory', ['csv', 'ndjson', 'parquet'], AWAY, (file) => void (file.instead = 'directory')),
  lie('no file', ['csv', 'ndjson', 'parquet'], AWAY, (file) => void (file.instead = 'nothing')),
  lie('a link to itself', ['csv'], AWAY, (file) => void (file.instead = 'loop')),
  lie('a pipe that nobody writes', ['csv'], AWAY, (file) => void (file.instead = 'fifo')),
];
