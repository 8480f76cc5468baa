/**
 * The OpenAPI document states what the api enforces: each mismatch that `npm run faults -- fuzz` found, beside the
 * real behaviour.
 */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   the document is untyped JSON, as for any client */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, setup } from '../support.ts';

let api: Api;
let document: any;
beforeAll(async () => {
  api = await setup();
  document = (await api.call('GET', '/openapi.json')).body;
});
afterAll(() => api[Symbol.asyncDispose]());

const parameter = (method: string, path: string, name: string) =>
  document.paths[path][method].parameters.find((of: any) => of.name === name).schema;
const bodyOf = (method: string, path: string) =>
  document.paths[path][method].requestBody.content['application/json'].schema;
const resolved = (schema: any) =>
  schema.$ref === undefined ? schema : document.components.schemas[schema.$ref.split('/').at(-1)];

describe('numbers', () => {
  it.each([
    ['/jobs', 'limit', 1, 100],
    ['/jobs', 'page', 1, 1_000_000],
    ['/jobs/{id}', 'id', 1, 2_147_483_647],
    ['/jobs/{id}/logs', 'attempt', 1, 2_147_483_647],
    ['/jobs/{id}/logs', 'step', 0, 2_147_483_647],
  ])('%s: %s has its limits', async (path, name, minimum, maximum) => {
    expect(parameter('get', path, name)).toMatchObject({ type: 'integer', minimum, maximum });
    const where = (value: number) =>
      name === 'id' ? `/jobs/${value}` : `${path.replace('{id}', '1')}?${name}=${value}`;
    for (const value of [minimum - 1, maximum + 1])
      expect((await api.call('GET', where(value))).status).toBe(400);
    for (const value of [minimum, maximum])
      expect((await api.call('GET', where(value))).status).not.toBe(400);
  });

  it('numbers are limited to exact integers', async () => {
    expect(bodyOf('post', '/sync_jobs').properties.total_records).toMatchObject({
      maximum: Number.MAX_SAFE_INTEGER,
    });
    const report = resolved(bodyOf('put', '/jobs/{id}/report')).properties;
    expect(report.records_total).toMatchObject({
      type: ['integer', 'null'],
      maximum: Number.MAX_SAFE_INTEGER,
    });
  });
});

describe('texts', () => {
  it('texts are counted in characters, not in UTF-16 units', async () => {
    expect(parameter('get', '/jobs', 'target')).toMatchObject({ maxLength: 100 });
    const asked = (count: number) =>
      api.call('GET', `/jobs?target=${encodeURIComponent('🎬'.repeat(count))}`);
    expect([(await asked(100)).status, (await asked(101)).status]).toEqual([200, 400]);
    expect(bodyOf('post', '/sync_jobs').properties.type).toMatchObject({ minLength: 1, maxLength: 100 });
    expect((await api.call('POST', '/sync_jobs', { json: { type: '' } })).status).toBe(422);
  });

  it('the texts of a login have minimum and maximum lengths', () => {
    for (const { schema } of Object.values<any>(document.paths['/login'].post.requestBody.content))
      expect(schema.properties).toMatchObject({
        username: { minLength: 1, maxLength: 64 },
        password: { minLength: 1, maxLength: 1024 },
      });
  });

  it('texts with fixed values may be repeated or listed, others may not', async () => {
    const { type, items } = parameter('get', '/jobs', 'status');
    expect(type).toBe('array');
    for (const [words, status] of [
      ['failed,running', 200],
      ['a b', 400],
      ['a,', 400],
      ['', 400],
    ] as const) {
      expect(new RegExp(items.pattern).test(words)).toBe(status === 200);
      const answer = await api.call('GET', `/jobs?status=queued&status=${encodeURIComponent(words)}`);
      expect(answer.status, words).toBe(status);
    }
  });
});

describe('times', () => {
  it.each([
    ['1969-12-31T23:59:59Z', 422],
    ['1970-01-01T00:00:00+14:00', 201],
    ['9998-12-31T23:59:59-12:00', 201],
    ['9999-12-31T23:59:59-12:00', 422],
  ])('%s: %i', async (end_time, status) => {
    const { pattern, format } = bodyOf('post', '/sync_jobs').properties.end_time;
    expect(format).toBe('date-time');
    expect(new RegExp(pattern).test(end_time)).toBe(status === 201);
    const answer = await api.call('POST', '/sync_jobs', { json: { type: 'sync', end_time } });
    expect(answer.status).toBe(status);
    if (status === 201) expect(answer.body.end_time).toMatch(/^\d{4}-/);
  });

  it('optional times may be null', async () => {
    expect(bodyOf('post', '/sync_jobs').properties.end_time.type).toEqual(['string', 'null']);
    const answer = await api.call('POST', '/sync_jobs', { json: { type: 'sync', end_time: null } });
    expect([answer.status, answer.body.end_time]).toEqual([201, null]);
  });
});

describe('bodies', () => {
  it.each([
    ['put', '/jobs/{id}'],
    ['put', '/sync_jobs/{id}'],
  ])('%s %s needs a field', async (method, path) => {
    expect(resolved(bodyOf(method, path)).minProperties).toBe(1);
    expect((await api.call(method.toUpperCase(), path.replace('{id}', '1'), { json: {} })).status).toBe(422);
  });

  it('the body of a pause requires either `paused` or `pause`', () => {
    expect(bodyOf('post', '/maintenance-status').oneOf).toEqual([
      { required: ['paused'] },
      { required: ['pause'] },
    ]);
  });
});

it('a log is text, or events as the document describes them', () => {
  const { content } = document.paths['/jobs/{id}/logs'].get.responses[200];
  expect(Object.keys(content)).toEqual(['text/plain', 'text/event-stream']);
  expect(content['text/event-stream'].schema.properties.event.enum).toEqual(['log', 'end', 'error']);
});

it('a report needs its own kind of token', () => {
  expect(document.paths['/jobs/{id}/report'].put.security).toEqual([{ report: [] }]);
  expect(Object.keys(document.components.securitySchemes)).toEqual(['bearer', 'report']);
});
