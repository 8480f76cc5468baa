/** Every mistake of a client is answered with a problem that names it, never with a 500. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, type Asked, setup } from '../support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup();
});
afterAll(() => api[Symbol.asyncDispose]());

const json = { 'content-type': 'application/json' };
const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
const unpaused = JSON.stringify({ msg: 'x', paused: false });

const CASES: [what: string, method: string, where: string, asked: Asked, status: number, detail?: string][] =
  [
    ['broken JSON', 'POST', '/run', { body: '{"target":', headers: json }, 400, 'well-formed JSON'],
    ['JSON that is not UTF-8', 'POST', '/run', { body: Buffer.from([0x22, 0xff, 0x22]), headers: json }, 400],
    ['an empty JSON body', 'POST', '/run', { body: '', headers: json }, 400],
    ['an array', 'POST', '/run', { json: [] }, 422],
    ['null', 'POST', '/run', { body: 'null', headers: json }, 422],
    [
      'NUL in a string',
      'POST',
      '/maintenance-status',
      { json: { msg: 'a\u0000', paused: true } },
      400,
      'NUL',
    ],
    [
      'a lone surrogate',
      'POST',
      '/maintenance-status',
      { body: '{"msg":"\\ud800","paused":true}', headers: json },
      400,
      'surrogate',
    ],
    ['__proto__', 'POST', '/run', { body: '{"__proto__":{"x":1}}', headers: json }, 400, '__proto__'],
    ['nesting of 21 levels', 'POST', '/run', { body: deep(21), headers: json }, 400, '20 levels'],
    ['nesting of 20 levels', 'POST', '/run', { body: deep(20), headers: json }, 422],
    ['thousands of levels', 'POST', '/run', { body: '['.repeat(60_000), headers: json }, 400],
    ['no content type', 'POST', '/run', { body: Buffer.from('{}') }, 415, 'Content-Type: application/json'],
    [
      'a form',
      'POST',
      '/maintenance-status',
      { body: new URLSearchParams({ msg: 'x', paused: '0' }) },
      415,
      'Content-Type: application/json',
    ],
    [
      'text',
      'POST',
      '/maintenance-status',
      { body: unpaused, headers: { 'content-type': 'text/plain' } },
      415,
    ],
    [
      'a body above 64 KiB',
      'POST',
      '/maintenance-status',
      { json: { msg: 'x'.repeat(66_000), paused: true } },
      413,
      '65536',
    ],
    ['fields on a route without any', 'POST', '/sync/alpha/dev', { json: { force: true } }, 422, 'force'],
    ['an unknown query field', 'GET', '/jobs?colour=red', {}, 400, 'colour'],
    ['a query field on a POST', 'POST', '/sync/alpha/dev?force=1', {}, 400, 'force'],
    ['page 0', 'GET', '/jobs?page=0', {}, 400, 'page'],
    ['page abc', 'GET', '/jobs?page=abc', {}, 400, 'page'],
    ['page 1e308', 'GET', '/jobs?page=1e308', {}, 400, 'page'],
    ['page 99999999999999999999', 'GET', '/jobs?page=99999999999999999999', {}, 400, 'page'],
    ['page twice', 'GET', '/jobs?page=1&page=2', {}, 400, 'page'],
    ['limit 0', 'GET', '/jobs?limit=0', {}, 400, 'limit'],
    ['limit 101', 'GET', '/sync_jobs?limit=101', {}, 400, 'limit'],
    ['page with cursor', 'GET', '/jobs?page=1&cursor=aWQ6NQ', {}, 400, 'cursor'],
    ['a made-up cursor', 'GET', '/jobs?cursor=%27%20OR%201', {}, 400, 'cursor'],
    ['an unknown status', 'GET', '/jobs?status=%27;--', {}, 400, 'status'],
    ['ignoreCompleted=maybe', 'GET', '/jobs?ignoreCompleted=maybe', {}, 400, 'ignoreCompleted'],
    ['since=yesterday', 'GET', '/jobs?since=yesterday', {}, 400, 'since'],
    ['since in the year 0', 'GET', '/jobs?since=0000-01-01T00:00:00Z', {}, 400, 'since'],
    ['NUL in the path', 'GET', '/sync/al%00pha/dev', {}, 400, 'NUL'],
    ['NUL in the query', 'GET', '/jobs?target=%00', {}, 400, 'NUL'],
    ['bad percent-encoding', 'GET', '/targets/%ff', {}, 400],
    ['half a surrogate in the query', 'GET', '/jobs?target=%ED%A0%80', {}, 400],
    ['__proto__ in the query', 'GET', '/jobs?__proto__=1', {}, 400, '__proto__'],
    ['an unknown route', 'GET', '/nothing/here', {}, 404, '/nothing/here'],
    ['a wrong method', 'DELETE', '/jobs', {}, 405, 'GET'],
    ['another wrong method', 'PATCH', '/run', {}, 405, 'POST'],
    [
      'paused and pause',
      'POST',
      '/maintenance-status',
      { json: { msg: '', paused: true, pause: 1 } },
      422,
      'paused',
    ],
    ['neither paused nor pause', 'POST', '/maintenance-status', { json: { msg: '' } }, 422, 'paused'],
    ['pause 2', 'POST', '/maintenance-status', { json: { msg: '', pause: 2 } }, 422, 'pause'],
    [
      'an invalid time',
      'POST',
      '/sync_jobs',
      { json: { type: 'sync', start_time: 'now' } },
      422,
      'start_time',
    ],
    [
      'a count beyond all',
      'POST',
      '/sync_jobs',
      { body: '{"type":"sync","total_records":1e308}', headers: json },
      422,
      'total_records',
    ],
    [
      'an infinite count',
      'POST',
      '/sync_jobs',
      { body: '{"type":"sync","total_records":1e999}', headers: json },
      422,
      'total_records',
    ],
    ['an unknown schedule', 'POST', '/schedules/dev.beta.synk/run', {}, 404, 'did you mean dev.beta.sync'],
    ['an unknown target', 'GET', '/targets/alphe', {}, 404, 'did you mean alpha'],
    ['a long unknown target', 'GET', `/targets/${'x'.repeat(300)}`, {}, 400],
  ];

describe('bad input', () => {
  it.each(CASES)('%s: %s %s', async (_, method, where, asked, expected, detail) => {
    const { status, body, headers } = await api.call(method, where, asked);
    expect([status, headers.get('content-type')]).toEqual([expected, 'application/problem+json']);
    expect(body).toMatchObject({
      type: 'about:blank',
      title: expect.any(String),
      status: expected,
      code: expect.stringMatching(/^[a-z_]+$/),
      message: body.detail,
    });
    if (detail) expect(body.detail).toContain(detail);
    if (expected === 405) expect(headers.get('allow')).toContain(detail);
  });

  it('a body that comes in pieces is counted', async () => {
    const pieces = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode('['.repeat(10_000))),
    });
    const init = { method: 'POST', body: pieces, headers: { ...json, authorization: `Bearer ${api.token}` } };
    const response = await api.app.request('/run', { ...init, duplex: 'half' });
    expect(response.status).toBe(413);
  });

  it('only an unknown route is refused before the token is checked', async () => {
    expect((await api.call('POST', '/run', { token: null, body: '{' })).status).toBe(401);
    expect((await api.call('GET', '/nothing', { token: null })).status).toBe(404);
    expect((await api.call('PUT', '/run', { token: null })).status).toBe(405);
  });
});

describe('every answer', () => {
  it('every answer has a new request id, whatever the client sent, and protective headers', async () => {
    const given = await api.call('GET', '/jobs', { headers: { 'x-request-id': 'abc-1' } });
    const again = await api.call('GET', '/jobs', { headers: { 'x-request-id': 'abc-1' } });
    const made = await api.call('GET', '/nothing');
    const ids = [given, again, made].map(({ headers }) => headers.get('x-request-id') ?? '');
    for (const id of ids) expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(new Set(ids).size).toBe(3);
    for (const { headers } of [given, made]) {
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('access-control-allow-origin')).toBeNull();
      expect(headers.get('set-cookie')).toBeNull();
    }
  });

  it('a 500 answer reveals nothing of the code', async () => {
    await using own = await setup();
    await own.db.schema.alterTable('jobs').renameTo('gone').execute();
    const answer = await own.call('GET', '/jobs', { headers: { 'x-request-id': 'abc-2' } });
    expect([answer.status, answer.body.code]).toEqual([500, 'internal']);
    expect(answer.body.detail).toContain(answer.headers.get('x-request-id'));
    expect(answer.body.detail).not.toContain('abc-2');
    expect(answer.text).not.toMatch(/relation|gone|SELECT|\.ts/);
  });
});
