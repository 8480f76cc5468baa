/** What a browser sees, and the document that describes the routes. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are read as any client reads them: JSON that nobody has typed */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Api, setup } from './support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup();
});
afterAll(() => api[Symbol.asyncDispose]());

it('the page at / posts to /login under a strict policy', async () => {
  const { status, text, headers } = await api.call('GET', '/', { token: null });
  expect(status).toBe(200);
  expect(text).toContain('<form method="post" action="/login">');
  expect(text).toContain('curl');
  expect(text).toContain('dev, qas');
  expect(headers.get('content-security-policy')).toContain("form-action 'self'");
  expect(headers.get('content-security-policy')).not.toContain('unsafe');
});

it('the documentation comes from here alone', async () => {
  const page = await api.call('GET', '/docs', { token: null });
  expect(page.text).not.toMatch(/https?:/);
  expect(page.headers.get('content-security-policy')).not.toContain('unsafe');
  for (const [, file = ''] of page.text.matchAll(/(?:href|src)="([^"]+)"/g))
    expect([file, (await api.raw('GET', file, { token: null })).status]).toEqual([file, 200]);
  expect((await api.call('GET', '/docs/package.json', { token: null })).status).toBe(404);
});

it('the OpenAPI document has every route with summary, answers and errors', async () => {
  const { body } = await api.call('GET', '/openapi.json', { token: null });
  expect(body.openapi).toBe('3.1.0');
  const described = Object.entries<Record<string, any>>(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, of]) => ({ route: `${method} ${path}`, of })),
  );
  expect(described.length).toBeGreaterThan(35);
  for (const { route, of } of described) {
    expect(of.summary, route).toEqual(expect.any(String));
    expect(Object.keys(of.responses), route).toContain('400');
    if (!of.security) expect(Object.keys(of.responses), route).toContain('401');
  }
  const served = api.app.routes
    .filter((r) => r.method !== 'ALL' && !/^\/(docs.*|openapi\.json)?$/.test(r.path))
    .map((r) => `${r.method.toLowerCase()} ${r.path.replaceAll(/:(\w+)/g, '{$1}')}`);
  expect(new Set(described.map((d) => d.route))).toEqual(new Set(served));
  const run = body.components.schemas.Run;
  expect([run.additionalProperties, run.required.length, run.example.target]).toEqual([false, 6, 'avo']);
});

it('health says alive and ready', async () => {
  expect((await api.call('GET', '/health/live', { token: null })).text).toBe('OK');
  const ready = await api.call('GET', '/health/ready', { token: null });
  expect([ready.status, ready.body]).toEqual([200, { status: 'ok', postgres: 'ok', temporal: 'ok' }]);
});
