/** Lies of a server within one answer: statuses, redirects, bodies, framing and compression, silence. */

import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import {
  every,
  listing,
  once,
  onward,
  later,
  lie,
  FAILED,
  PART,
  LOST,
  LATE,
  UNAUTHORIZED,
  unproven,
  status,
  header,
  packed,
  body,
  cut,
  spoilt,
  middle,
  shortened,
  inLine,
  inUtf8,
  page,
  twoMembers,
  inSeconds,
} from './http-words.ts';
import { ends, READ, type Lie } from './lie.ts';
import { CANARY } from './story.ts';

const STATUSES: readonly Lie[] = [
  ...[201, 202, 203, 206, 300, 304, 404, 410, 451].map((code) =>
    lie(
      `status ${code}`,
      FAILED,
      every((answer) => void (answer.status = code)),
    ),
  ),
  lie('status 204', FAILED, every(status(204, {}, Buffer.alloc(0)))),
  lie(
    'status 206 of one page',
    FAILED,
    later((answer) => void (answer.status = 206)),
  ),
  ...[401, 403].map((code) => lie(`status ${code}`, UNAUTHORIZED, every(status(code)))),
  lie('status 401 of a later page', UNAUTHORIZED, later(status(401))),
  ...[500, 502, 503, 504].map((code) => lie(`status ${code} once`, READ, once(status(code)))),
  ...[500, 503].map((code) => lie(`status ${code} for ever`, FAILED, onward(status(code)))),
  lie('429 with Retry-After: 0, once', READ, once(status(429, { 'retry-after': '0' }))),
  lie(
    '429 with Retry-After of a date, once',
    READ,
    once((a) => status(429, { 'retry-after': inSeconds(1) })(a, undefined as never)),
  ),
  lie(
    '429 with Retry-After of a date long ago, once',
    READ,
    once(status(429, { 'retry-after': 'Sat, 01 Jan 2000 00:00:00 GMT' })),
  ),
  lie('429 with an absurd Retry-After, once', READ, once(status(429, { 'retry-after': 'soon' }))),
  lie('429 without Retry-After, for ever', FAILED, onward(status(429))),
  lie('429 with Retry-After: 400', FAILED, once(status(429, { 'retry-after': '400' }))),
  lie('503 with Retry-After: 999999999', FAILED, once(status(503, { 'retry-after': '999999999' }))),
  lie(
    '429 with Retry-After of a date in the year 2099',
    FAILED,
    once(status(429, { 'retry-after': 'Thu, 01 Jan 2099 00:00:00 GMT' })),
  ),
  ...[301, 302, 303, 307, 308].map((code) =>
    lie(`${code} to the same origin`, READ, (answer, ask) => {
      if (!ask.redirected) status(code, { location: '/moved' })(answer, ask);
    }),
  ),
  ...[301, 302, 303, 307, 308].map((code) =>
    lie(
      `${code} to another origin`,
      FAILED,
      every((answer, ask) => status(code, { location: `${ask.elsewhere}/records` })(answer, ask)),
    ),
  ),
  lie(
    '302 to another origin of a later page',
    FAILED,
    later((answer, ask) => status(302, { location: `${ask.elsewhere}/records` })(answer, ask)),
  ),
  lie('302 in circles', FAILED, every(status(302, { location: '/moved' }))),
  lie('302 to nowhere', FAILED, every(status(302))),
  lie('302 to an invalid address', FAILED, every(status(302, { location: 'http://[' }))),
];

const BODIES: readonly Lie[] = [
  lie(
    '200 with a page of HTML',
    FAILED,
    every((a, ask) => (body(page, 'text/html; charset=utf-8')(a, ask), (a.total = undefined))),
  ),
  lie('200 with a page of HTML as NDJSON', FAILED, listing(body(page))),
  lie('200 with a JSON array', FAILED, listing(body(`[{"name":"${CANARY}"}]`, 'application/json'))),
  lie(
    '200 with a JSON array and no total',
    FAILED,
    every((a, ask) => (body('[]', 'application/json')(a, ask), (a.total = undefined))),
  ),
  lie(
    '200 with no body',
    FAILED,
    onward((a, ask) => (body('')(a, ask), (a.more = true))),
  ),
  lie(
    '200 with no body, and no more',
    PART,
    onward((a, ask) => (body('')(a, ask), (a.more = false))),
  ),
  lie('UTF-16', FAILED, listing(body(Buffer.from('{"id":"x"}\n', 'utf16le')))),
  lie('no Content-Type', READ, every(header('content-type', undefined))),
  lie('a Content-Type of plain text', READ, every(header('content-type', 'text/plain'))),
  lie(
    'a byte order mark',
    READ,
    listing((a) => void (a.pack = (bytes) => Buffer.concat([Buffer.from('\ufeff'), bytes]))),
  ),
  lie(
    'CRLF',
    READ,
    listing((a) => void (a.pack = (bytes) => Buffer.from(bytes.toString().replaceAll('\n', '\r\n')))),
  ),
  lie(
    'blank lines',
    READ,
    listing((a) => void (a.pack = (bytes) => Buffer.from(bytes.toString().replaceAll('\n', '\n \n\n')))),
  ),
  lie('no last newline, once', READ, once(shortened((text) => text.length - 1))),
  lie('no last newline, for ever', FAILED, onward(shortened((text) => text.length - 1))),
];

const FRAMES: readonly Lie[] = [
  lie('a page cut in mid line, once', READ, once(shortened(inLine))),
  lie('pages cut in mid line, for ever', FAILED, onward(shortened(inLine))),
  lie('a page cut in mid UTF-8, once', READ, once(shortened(inUtf8))),
  lie(
    'a page cut between lines',
    PART,
    once((a) => void ((a.lines = a.lines.slice(0, -1)), (a.more = false))),
  ),
  lie(
    'a Content-Length that is too large, once',
    READ,
    once((a) => void (a.longer = 50)),
  ),
  lie(
    'a Content-Length that is too large, for ever',
    LOST,
    onward((a) => void (a.longer = 50)),
  ),
  lie(
    'a Content-Length that is too small, for ever',
    ends('failed', 'incompleteListing', 'sourceUnreachable'),
    onward((a) => void (a.longer = -10)),
  ),
  lie(
    'chunks',
    READ,
    every((a) => void (a.frame = 'chunked')),
  ),
  lie(
    'chunks without the last, once',
    READ,
    once((a) => void ((a.frame = 'chunked'), (a.cut = { at: (text) => text.length, and: 'end' }))),
  ),
  lie(
    'chunks without the last, for ever',
    LOST,
    onward((a) => void ((a.frame = 'chunked'), (a.cut = { at: (text) => text.length, and: 'end' }))),
  ),
  lie(
    'bodies that end with the connection',
    unproven,
    listing((a) => void (a.frame = 'close')),
  ),
  lie(
    'one body that ends with the connection',
    unproven,
    once((a) => void (a.frame = 'close')),
  ),
  lie(
    'a reset before the answer, once',
    READ,
    once((a) => void (a.instead = 'reset')),
  ),
  lie(
    'a reset before the answer, for ever',
    LOST,
    onward((a) => void (a.instead = 'reset')),
  ),
  lie('a reset in mid page, once', READ, once(cut(middle, 'reset'))),
  lie('a reset in mid page, for ever', LOST, onward(cut(middle, 'reset'))),
  lie('an end in mid page, once', READ, once(cut(middle, 'end'))),
  lie(
    'silence before the answer, once',
    READ,
    once((a) => void (a.instead = 'silence')),
  ),
  lie(
    'silence before the answer, for ever',
    LATE,
    onward((a) => void (a.instead = 'silence')),
  ),
  lie('silence in mid page, once', READ, once(cut(middle, 'silence'))),
  lie('gzip', READ, every(packed('gzip', gzipSync))),
  lie('gzip in two members', READ, every(packed('gzip', twoMembers))),
  lie('gzip without its end, once', READ, once(packed('gzip', (bytes) => gzipSync(bytes).subarray(0, -8)))),
  lie(
    'gzip without its end, for ever',
    FAILED,
    onward(packed('gzip', (bytes) => gzipSync(bytes).subarray(0, -8))),
  ),
  lie(
    'gzip with a wrong checksum, for ever',
    FAILED,
    onward(packed('gzip', (bytes) => spoilt(gzipSync(bytes)))),
  ),
  lie('gzip that is not gzip', FAILED, onward(packed('gzip', (bytes) => bytes))),
  lie('deflate', READ, every(packed('deflate', deflateSync))),
  lie('deflate without its header', READ, every(packed('deflate', deflateRawSync))),
  lie(
    'deflate without its end, for ever',
    FAILED,
    onward(packed('deflate', (bytes) => deflateSync(bytes).subarray(0, -6))),
  ),
  lie('br', READ, every(packed('br', brotliCompressSync))),
  lie('an unknown compression', FAILED, every(packed('zstd', (bytes) => bytes))),
];

export const ANSWERS: readonly Lie[] = [...STATUSES, ...BODIES, ...FRAMES];
