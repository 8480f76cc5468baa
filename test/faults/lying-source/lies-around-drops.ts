/** Lies about which files are there, and what happens to them while they are read; the answers of a web server. */

import { appendFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { cutAt } from '../../job/sources/files/support/file-server.ts';
import { csvOf, type DropPlace } from './drop-place.ts';
import { type DropLie, header, lie, unproven, untrusted, withoutLast } from './drop-words.ts';
import { but, ends, READ } from './lie.ts';
import { AWAY, FAILED, LATE, PART, UNAUTHORIZED, WRONG } from './row-lie.ts';
import { CANARY, type Story } from './story.ts';
import type { Fate, Row } from './model.ts';

const third = ({ next }: Story, missing: number): Row[] => next.filter((_, at) => at % 3 !== missing);
export const PATTERNS: readonly DropLie[] = [
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
export const MEANWHILE: readonly DropLie[] = (
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
export const AFTERWARDS: readonly DropLie[] = [
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

export const WEB: readonly DropLie[] = [
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
