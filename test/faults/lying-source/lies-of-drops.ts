/** Lies of delivered files: cut, changed, missing or repeated ones, other headers, wrong totals, a web server's answers. */

import { appendFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { cutAt } from '../../job/sources/files/support/file-server.ts';
import { csvLine, csvOf, type Drop, type Dropped, type DropPlace, objectOf } from './drop-place.ts';
import { always, but, ends, READ, UNPROVEN } from './lie.ts';
import type { Fate, Row } from './model.ts';
import {
  AWAY,
  FAILED,
  LATE,
  PART,
  REJECTED,
  type RowLie,
  TOLD_ROWS,
  UNAUTHORIZED,
  WRONG,
} from './row-lie.ts';
import { CANARY, isOld, type Story } from './story.ts';

export type DropLie = RowLie<DropPlace> & { readonly of: readonly Drop[] };

type Change = (file: Dropped, story: Story) => void;

const lie = (
  name: string,
  of: readonly Drop[],
  fate: Fate | DropLie['fate'],
  change: Change | null,
  more: Partial<DropLie> = {},
): DropLie => ({
  name,
  of,
  fate: typeof fate === 'function' ? fate : always(fate),
  ...(change ? { tell: ({ files }, story) => files.slice(-1).forEach((file) => change(file, story)) } : {}),
  ...more,
});

const CSV: readonly Drop[] = ['csv', 'pattern', 'web'];
const DISK: readonly Drop[] = ['csv', 'ndjson', 'json', 'parquet', 'csv.gz', 'pattern'];
const unproven = but(UNPROVEN, 'changes');
const bytes =
  (change: (bytes: Buffer, story: Story) => Buffer | string): Change =>
  (file, story) =>
    void (file.bytes = Buffer.from(change(file.bytes, story) as string));
const text = (change: (text: string, story: Story) => string): Change =>
  bytes((old, story) => change(old.toString(), story));
const part = (of: Buffer, share: number): Buffer => of.subarray(0, Math.floor(of.length * share));
const noTotal: Change = (file) => void (file.total = null);
const total =
  (of: (count: number) => string): Change =>
  (file) =>
    void (file.total = of(Number(file.total)));
const one = ({ recent, random }: Story): Row => random.pick(recent);
const withoutLast = ({ next }: Story, count: number): Row[] => next.slice(0, next.length - count);
const oldPair = ({ next, random }: Story): Row[] => random.shuffled(next.filter(isOld)).slice(0, 2);

const TOTALS: readonly DropLie[] = [
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

const CUTS: readonly DropLie[] = [
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

/** One line more, and the total counts it. */
function oneMore(line: string | Buffer): Change {
  return (file) => {
    file.bytes = Buffer.concat([file.bytes, Buffer.from(line as string)]);
    if (file.total !== null) file.total = String(Number(file.total) + 1);
  };
}

const ROWS: readonly DropLie[] = [
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

const header = (change: (line: string) => string): Change =>
  text((old) => {
    const end = old.indexOf('\n');
    return change(old.slice(0, end)) + old.slice(end);
  });
const HEADERS: readonly DropLie[] = [
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

const FORMS: readonly DropLie[] = [
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

const third = ({ next }: Story, missing: number): Row[] => next.filter((_, at) => at % 3 !== missing);
const PATTERNS: readonly DropLie[] = [
  lie('no file matches', ['pattern'], AWAY, null, {
    tell: ({ files }) => files.forEach((file) => void (file.instead = 'nothing')),
  }),
  lie('a file is missing', ['pattern'], READ, null, {
    rows: (story) => third(story, 2),
    tell: (place, story) => restored(place, story, 2),
  }),
  lie('a file is missing, and nothing says that all are there', ['pattern'], unproven, null, {
    rows: (story) => third(story, 2),
    tell: (place, story) => (restored(place, story, 2), untrusted(place)),
  }),
  lie('nothing says that all files are there', ['pattern'], unproven, null, { tell: untrusted }),
  lie('a file has its header alone', ['pattern'], READ, null, {
    rows: (story) => third(story, 2),
    tell: ({ files }, { next }) =>
      files.forEach((file, at) => {
        file.bytes = csvOf(at === 2 ? [] : next.filter((_, nth) => nth % 3 === at));
      }),
  }),
  lie('a file under a second name', ['pattern'], WRONG, null, {
    tell: ({ files }) => {
      const [first] = files;
      if (first) files.push({ ...first, name: 'part-9.csv' });
    },
  }),
  lie(
    'a file with another header',
    ['pattern'],
    WRONG,
    header((line) => line.replace('id', 'nr')),
  ),
  lie('a file besides that does not match', ['pattern'], READ, null, {
    tell: ({ files }) => {
      const [first] = files;
      if (first) files.push({ ...first, name: 'part-9.csv.tmp' });
    },
  }),
];

function untrusted({ settings }: DropPlace): void {
  delete settings['SOURCE_FILE_COMPLETE'];
}

/** Puts all records where they belong; the file `missing` is not delivered. */
function restored({ files }: DropPlace, { next }: Story, missing: number): void {
  files.forEach((file, at) => {
    file.bytes = csvOf(next.filter((_, nth) => nth % 3 === at));
    if (at === missing) file.instead = 'nothing';
  });
}

const waiting = /was written recently: waiting/;
const listed = /"?(loaded \d+ records|the source lists \d+ ids)/;
const young = (place: DropPlace): void => void (place.young = true);
const onFile =
  (act: (path: string) => void) =>
  (place: DropPlace): void =>
    act(place.at(place.files.at(-1)?.name ?? ''));
const MEANWHILE: readonly DropLie[] = (
  [
    ['growing', (path) => appendFileSync(path, `"z","${CANARY}",2026-11-29T00:00:00Z\n`)],
    ['emptied', (path) => truncateSync(path, 0)],
    ['removed', (path) => rmSync(path)],
    ['replaced', (path) => (writeFileSync(`${path}.new`, 'id\na\n'), renameSync(`${path}.new`, path))],
  ] as readonly [string, (path: string) => void][]
).map(([name, act]) =>
  lie(
    `${name} while the program waits`,
    ['csv'],
    name === 'removed'
      ? (mode) => (mode === 'changes' ? READ : ends('sourceUnreachable', 'incompleteListing'))
      : but(PART, 'changes'),
    null,
    { tell: young, meanwhile: { at: waiting, act: onFile(act) } },
  ),
);
const AFTERWARDS: readonly DropLie[] = [
  lie('written a moment ago, and unchanged', ['csv', 'json', 'pattern'], READ, null, { tell: young }),
  lie('the records that are gone come back after the listing', ['csv'], but(PART, 'changes'), null, {
    answers: ({ removed }) => removed,
    meanwhile: {
      at: listed,
      act: (place, { next, removed }) => {
        const path = place.at('places.csv');
        writeFileSync(path, csvOf([...next, ...removed]));
        writeFileSync(`${path}.total`, String(next.length + removed.length));
      },
    },
  }),
  lie('removed after the listing', ['csv', 'json'], but(AWAY, 'changes'), null, {
    meanwhile: { at: listed, act: onFile((path) => rmSync(path)) },
  }),
  lie('cut off after the listing', ['csv'], but(PART, 'changes'), null, {
    meanwhile: { at: listed, act: onFile((path) => truncateSync(path, 100)) },
  }),
];

type Bend = (request: IncomingMessage, response: ServerResponse, count: number) => boolean;
const served = (
  name: string,
  fate: Fate | DropLie['fate'],
  bend: (place: DropPlace, story: Story) => Bend,
  more: Partial<DropLie> = {},
): DropLie =>
  lie(name, ['web'], fate, null, {
    tell: (place, story) => {
      place.server.requests.length = 0;
      place.server.bend = bend(place, story);
    },
    ...more,
  });
const status =
  (code: number, headers: Record<string, string> = {}) =>
  (): Bend =>
  (_, response) => {
    response.writeHead(code, headers).end(`{"message":"${CANARY}"}`);
    return true;
  };
/** The first request asks for one byte; the second one for the file. */
const once =
  (bend: Bend): Bend =>
  (request, response, count) =>
    count === 2 && bend(request, response, count);
const body = (request: IncomingMessage): boolean => request.headers.range !== 'bytes=0-0';

const WEB: readonly DropLie[] = [
  ...[404, 410, 400].map((code) => served(`status ${code}`, FAILED, status(code))),
  ...[401, 403].map((code) => served(`status ${code}`, UNAUTHORIZED, status(code))),
  ...[201, 204, 304].map((code) => served(`status ${code}`, FAILED, status(code))),
  ...[500, 503].map((code) => served(`status ${code} for ever`, FAILED, status(code))),
  ...[500, 503].map((code) =>
    served(`status ${code} once`, READ, () => once(status(code, { 'retry-after': '0' })())),
  ),
  served('503 with Retry-After: 999999999', FAILED, status(503, { 'retry-after': '999999999' })),
  served('302 to another origin', FAILED, status(302, { location: 'http://127.0.0.2:1/places.csv' })),
  served('an end in mid file, once', READ, ({ server }) =>
    once((_, response) => cutAt(server, response, server.body.length / 2)),
  ),
  served('an end in mid file, for ever', AWAY, ({ server }) => (request, response) => {
    if (!body(request)) return false;
    return cutAt(server, response, server.body.length / 2);
  }),
  served('silence in mid file, once', READ, ({ server }) =>
    once((_, response) => cutAt(server, response, server.body.length / 2, 'fall silent')),
  ),
  served('silence for ever', LATE, () => () => true),
  served('another file after an end in mid file', PART, ({ server, files }) =>
    once((_, response) => {
      cutAt(server, response, server.body.length / 2);
      server.etag = '"2"';
      server.body = files[0]?.bytes ?? server.body;
      return true;
    }),
  ),
  served('a body that ends with the connection', unproven, ({ server }) => (request, response) => {
    if (!body(request)) return false;
    const socket = response.socket;
    socket?.end(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n'), server.body]));
    return true;
  }),
  served('a part instead of the whole', FAILED, ({ server }) => (request, response) => {
    if (!body(request)) return false;
    const half = server.body.subarray(0, server.body.length / 2);
    const range = `bytes 0-${half.length - 1}/${server.body.length}`;
    response.writeHead(206, { 'content-range': range, 'content-length': half.length }).end(half);
    return true;
  }),
  served('cut off between lines, with a Content-Length that fits', READ, () => () => false, {
    rows: (story) => withoutLast(story, 4),
  }),
  served('cut off between lines, and nothing says that it is whole', unproven, () => () => false, {
    rows: (story) => withoutLast(story, 4),
    tell: untrusted,
  }),
];

/** Told as CSV: their rows are the same in every other form. */
const OF_LISTINGS: readonly DropLie[] = (TOLD_ROWS as readonly RowLie<DropPlace>[]).map((told) => ({
  ...told,
  of: ['csv'],
}));

export const OF_DROPS: readonly DropLie[] = [
  ...OF_LISTINGS,
  lie('some records are gone', ['json', 'parquet', 'csv.gz', 'pattern', 'web'], READ, null, {
    rows: (story) => story.next.filter((row) => !oldPair(story).includes(row)),
  }),
  lie('half of the records are gone', ['json', 'parquet', 'csv.gz', 'pattern', 'web'], READ, null, {
    rows: ({ next }) => next.filter((_, at) => at % 2 === 0),
  }),
  lie('no record', ['json', 'csv.gz', 'pattern', 'web'], READ, null, { rows: () => [] }),
  ...TOTALS,
  ...CUTS,
  ...ROWS,
  ...HEADERS,
  ...FORMS,
  ...PATTERNS,
  ...MEANWHILE,
  ...AFTERWARDS,
  ...WEB,
];
