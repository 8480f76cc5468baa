/** Slow, giant and malformed requests as bytes on a socket, each with its required end. */
import type { Random } from '../random.ts';

const LIMIT = 64 * 1024;

/** Bytes to send, or a pause in milliseconds. */
export type Part = string | Buffer | number;

export type Hostile = {
  readonly name: string;
  parts(): Iterable<Part>;
  /** Seconds within which it must be answered or cut. */
  readonly withinSeconds: number;
  /** The allowed statuses of an answer; cutting the connection without an answer is always allowed. */
  readonly statuses: readonly number[];
  /** Sends FIN after the last part. */
  readonly halfClose?: boolean;
};

/** @param token of a user: these requests must not be refused for want of one */
export function hostileRequests(random: Random, token: string): readonly Hostile[] {
  const head = (line: string, ...headers: string[]) =>
    `${line} HTTP/1.1\r\nHost: fuzz\r\nAuthorization: Bearer ${token}\r\n${headers.map((h) => `${h}\r\n`).join('')}\r\n`;
  const json = (body: string | Buffer, line = 'POST /run') => [
    head(
      line,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
    ),
    body,
  ];
  const some = random.integer(1, 40);
  const quick = (name: string, statuses: number[], parts: readonly Part[]): Hostile => ({
    name,
    statuses,
    withinSeconds: 10, // on a busy machine; milliseconds on an idle one
    parts: () => parts,
  });
  const size = random.integer(LIMIT + 1, 3 * LIMIT);
  return [
    {
      // The limit for headers is 10 s, checked every 2 s.
      name: 'headers that drip',
      statuses: [408],
      withinSeconds: 14,
      *parts() {
        yield 'GET /jobs HTTP/1.1\r\nHost: fuzz\r\n';
        for (let at = 0; at < 200; at++) yield* [100 + some, `X-Drip-${at}: x\r\n`];
      },
    },
    {
      // The limit for a whole request is 30 s.
      name: 'a body that drips',
      statuses: [408],
      withinSeconds: 34,
      *parts() {
        yield head('POST /run', 'Content-Type: application/json', 'Content-Length: 60000');
        for (let at = 0; at < 400; at++) yield* [100 + some, 'x'];
      },
    },
    {
      name: 'a body that never comes',
      statuses: [408],
      withinSeconds: 34,
      parts: () => [head('POST /run', 'Content-Type: application/json', `Content-Length: ${some}`)],
    },
    {
      name: 'chunks that drip',
      statuses: [408],
      withinSeconds: 34,
      *parts() {
        yield head('POST /run', 'Content-Type: application/json', 'Transfer-Encoding: chunked');
        for (let at = 0; at < 400; at++) yield* [100 + some, '1\r\nx\r\n'];
      },
    },
    quick('a body above the limit', [413], json('x'.repeat(size))),
    quick(
      'a body announced as above the limit',
      [413],
      [head('POST /run', 'Content-Type: application/json', 'Content-Length: 99999999999')],
    ),
    quick(
      'a chunked body above the limit',
      [413],
      [
        head('POST /run', 'Content-Type: application/json', 'Transfer-Encoding: chunked'),
        ...Array.from({ length: 40 }, () => `2000\r\n${'x'.repeat(0x2000)}\r\n`),
        '0\r\n\r\n',
      ],
    ),
    quick('a login above the limit', [413], json('x'.repeat(size), 'POST /login')),
    quick('a report above its limit', [401, 413], json('x'.repeat(9_000), 'PUT /jobs/1/report')),
    quick(
      'both Transfer-Encoding and Content-Length',
      [400],
      [
        head(
          'POST /run',
          'Content-Type: application/json',
          'Content-Length: 4',
          'Transfer-Encoding: chunked',
        ),
        `0\r\n\r\nGET /jobs HTTP/1.1\r\nHost: fuzz\r\n\r\n`,
      ],
    ),
    quick(
      'two lengths',
      [400],
      [head('POST /run', 'Content-Length: 1', `Content-Length: ${some + 1}`), 'xx'],
    ),
    quick('a negative length', [400], [head('POST /run', `Content-Length: -${some}`)]),
    quick(
      'a chunk whose size is not a number',
      [400],
      [head('POST /run', 'Content-Type: application/json', 'Transfer-Encoding: chunked'), 'zz\r\nx\r\n'],
    ),
    quick(
      'a flood of headers',
      [431],
      [
        'GET /jobs HTTP/1.1\r\nHost: fuzz\r\n',
        ...Array.from({ length: 3_000 }, (_, at) => `X-Flood-${at}: ${'x'.repeat(some)}\r\n`),
        '\r\n',
      ],
    ),
    quick(
      'a header above the limit',
      [431],
      [`GET / HTTP/1.1\r\nHost: fuzz\r\nX-Long: ${'x'.repeat(size)}\r\n\r\n`],
    ),
    quick('a URL above the limit', [400, 431], [head(`GET /jobs?target=${'x'.repeat(size)}`)]),
    quick('a long URL', [400], [head(`GET /targets/${'x'.repeat(10_000)}`, 'Connection: close')]),
    quick('NUL in a header', [400], [head('GET /jobs', 'X-Nul: a\0b')]),
    quick('a header without a name', [400], [head('GET /jobs', ': x')]),
    quick('no HTTP', [400], [Buffer.from(Array.from({ length: 500 }, () => random.integer(0, 255)))]),
    quick('another protocol', [400, 505], ['GET / HTTP/9.9\r\n\r\n']),
    quick('no host', [400], ['GET /jobs HTTP/1.1\r\n\r\n']),
    quick('nested JSON', [400], json('['.repeat(random.integer(1_000, 60_000)))),
    quick('nested JSON that is closed', [400], json(`${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`)),
    quick('NUL in JSON', [400], json('{"target":"a\\u0000b"}')),
    quick('a lone surrogate', [400], json('{"target":"\\ud800"}')),
    quick('JSON that is not UTF-8', [400], json(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22]))),
    quick('1e308', [422], json('{"type":"sync","total_records":1e308}', 'POST /sync_jobs')),
    quick('1e999', [422], json('{"type":"sync","total_records":1e999}', 'POST /sync_jobs')),
    quick('__proto__', [400], json('{"__proto__":{"admin":true},"target":"avo"}')),
    quick('constructor', [422], json('{"constructor":{"prototype":{"admin":true}}}')),
    quick(
      'a million keys',
      [400, 413, 422],
      json(`{${Array.from({ length: 6_000 }, (_, at) => `"k${at}":1`).join()}}`),
    ),
    quick(
      'many form fields',
      [400, 413, 422],
      [
        head(
          'POST /login',
          'Content-Type: application/x-www-form-urlencoded',
          'Content-Length: 60000',
          'Connection: close',
        ),
        'a=1&'.repeat(15_000),
      ],
    ),
    quick(
      'a multipart form without an end',
      [400, 422],
      [
        head(
          'POST /login',
          'Content-Type: multipart/form-data; boundary=x',
          'Content-Length: 30000',
          'Connection: close',
        ),
        `--x\r\nContent-Disposition: form-data; name="username"\r\n\r\n${'y'.repeat(30_000)}`.slice(
          0,
          30_000,
        ),
      ],
    ),
    quick(
      'a path out of the tree',
      [400, 404],
      [head('GET /targets/..%2f..%2fetc%2fpasswd', 'Connection: close')],
    ),
    quick(
      'CR and LF in a path',
      [400, 404],
      [head('GET /targets/a%0d%0aSet-Cookie:%20x=1', 'Connection: close')],
    ),
    // Not a stream: no such request may leave anything open, however often it comes.
    quick('the events asked for by HEAD', [200], [head('HEAD /events', 'Connection: close')]),
    quick('a log followed by HEAD', [200], [head('HEAD /jobs/1/logs?follow', 'Connection: close')]),
    quick('OPTIONS of the events', [405], [head('OPTIONS /events', 'Connection: close')]),
    quick('OPTIONS *', [400, 404, 405], [head('OPTIONS *', 'Connection: close')]),
    quick(
      'a name that nearly matches a pattern',
      [404],
      [head(`GET /targets/${'A'.repeat(95)}a`, 'Connection: close')],
    ),
    quick(
      'a login under an endless name, from a made-up address',
      [401, 429, 503],
      [
        head(
          'POST /login',
          'Content-Type: application/json',
          `X-Forwarded-For: ${'10.0.0.1, '.repeat(500)}`,
          'Content-Length: 43',
          'Connection: close',
        ),
        '{"username":"nobody12","password":"x12345"}',
      ],
    ),
    // A stream stays open: we cut it, and its answer must have begun.
    quick('a log followed and not read', [200], [head('GET /jobs/1/logs?follow')]),
    quick(
      'a log followed from an invalid event',
      [200],
      [head('GET /jobs/1/logs?follow&offset=9007199254740991', 'Last-Event-ID: 9.9.999999999999')],
    ),
    quick(
      'a log followed twice',
      [400],
      [head('GET /jobs/1/logs?follow=true&follow=maybe', 'Connection: close')],
    ),
    quick('events requested and not read', [200], [head('GET /events')]),
    quick('events since the beginning', [200], [head('GET /events', 'Last-Event-ID: 0')]),
    quick(
      'events since an invalid time',
      [400],
      [head('GET /events', 'Last-Event-ID: -1', 'Connection: close')],
    ),
    quick('the events of a job', [200], [head('GET /jobs/1/events')]),
    {
      name: 'many requests at once',
      statuses: [404],
      withinSeconds: 10,
      parts: () => [
        head('GET /targets/none').repeat(random.integer(50, 200)),
        head('GET /targets/none', 'Connection: close'),
      ],
    },
    {
      name: 'half closed before its body',
      statuses: [400],
      withinSeconds: 34,
      halfClose: true,
      parts: () => [head('POST /run', 'Content-Type: application/json', 'Content-Length: 500'), '{'],
    },
    {
      name: 'half closed after a whole request',
      statuses: [404],
      withinSeconds: 10,
      halfClose: true,
      parts: () => [head('GET /targets/none')],
    },
    { name: 'nothing, and half closed', statuses: [], withinSeconds: 5, halfClose: true, parts: () => [] },
    { name: 'nothing at all', statuses: [408], withinSeconds: 34, parts: () => [] },
  ];
}
