/** The page as a browser gets it, and the document that describes the routes. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Api, setup } from '../support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup();
});
afterAll(() => api[Symbol.asyncDispose]());

it('the page and its assets come from this server only, under a policy with a new nonce for each load', async () => {
  const load = () => api.call('GET', '/', { token: null });
  const [first, second] = [await load(), await load()];
  expect([first.status, first.headers.get('cache-control')]).toEqual([200, 'no-cache']);
  const policies = [first, second].map(({ headers }) => headers.get('content-security-policy') ?? '');
  expect(policies[0]).not.toContain('unsafe');
  const script = /<script>([^]*?)<\/script>/.exec(first.text)?.[1] ?? 'none';
  const hash = createHash('sha256').update(script).digest('base64');
  expect(policies[0]).toContain(`default-src 'none'; script-src 'self' 'sha256-${hash}';`);
  const nonces = policies.map((policy) => /'nonce-([\w-]{22})'/.exec(policy)?.[1] ?? 'none');
  expect(new Set(nonces).size).toBe(2);
  expect(first.text).toContain(`<meta name="style-nonce" content="${nonces[0]}">`);
  expect(first.text).toContain('<meta name="public-reads" content="false">');
  expect(first.text).not.toMatch(/https?:|%[A-Z_]+%/);
  const files = [...first.text.matchAll(/(?:href|src)="\.?(\/assets\/[^"]+)"/g)].map(([, file = '']) => file);
  expect(files.length).toBeGreaterThanOrEqual(3);
  for (const file of files) {
    const asset = await api.raw('GET', file, { token: null, headers: { 'accept-encoding': 'gzip' } });
    expect([file, asset.status, asset.headers.get('cache-control')]).toEqual([
      file,
      200,
      'public, max-age=31536000, immutable',
    ]);
    expect(asset.headers.get('content-encoding')).toBe('gzip');
  }
});

it('files are compressed for clients that accept it, and the same for all others', async () => {
  for (const route of ['/openapi.json', '/targets']) {
    const plain = await api.raw('GET', route, { headers: { 'accept-encoding': 'identity' } });
    const packed = await api.raw('GET', route, { headers: { 'accept-encoding': 'gzip' } });
    expect([plain, packed].map(({ headers }) => headers.get('content-encoding'))).toEqual([null, 'gzip']);
    const [text, bytes] = [await plain.text(), Buffer.from(await packed.arrayBuffer())];
    expect(gunzipSync(bytes).toString()).toBe(text);
    expect(bytes.length).toBeLessThan(text.length / 2);
  }
});

it('only built assets are served', async () => {
  for (const name of ['none.js', '..%2f..%2fpackage.json', '.env', 'index.html'])
    expect((await api.call('GET', `/assets/${name}`, { token: null })).status, name).toBe(404);
});

it('the API documentation comes from this server only', async () => {
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
    .filter((r) => r.method !== 'ALL' && !/^\/(docs.*|assets\/.*|openapi\.json)?$/.test(r.path))
    .map((r) => `${r.method.toLowerCase()} ${r.path.replaceAll(/:(\w+)/g, '{$1}')}`);
  expect(new Set(described.map((d) => d.route))).toEqual(new Set(served));
  const run = body.components.schemas.Run;
  expect([run.additionalProperties, run.required.length, run.example.target]).toEqual([false, 6, 'avo']);
});

it('the health routes answer alive and ready', async () => {
  expect((await api.call('GET', '/health/live', { token: null })).text).toBe('OK');
  const ready = await api.call('GET', '/health/ready', { token: null });
  expect([ready.status, ready.body]).toEqual([
    200,
    { status: 'ok', postgres: 'ok', temporal: 'ok', params: 'ok' },
  ]);
});

it('exactly the compressed answers say so', async () => {
  const headers = { 'accept-encoding': 'gzip' };
  for (const [method, where, status, encoding] of [
    ['GET', '/openapi.json', 200, 'gzip'],
    ['GET', '/targets', 200, 'gzip'],
    ['PUT', '/targets', 405, 'gzip'],
    ['GET', '/jobs', 200, null],
  ] as const) {
    const answer = await api.raw(method, where, { headers });
    const body = new Uint8Array(await answer.arrayBuffer());
    expect([where, answer.status, answer.headers.get('content-encoding')]).toEqual([where, status, encoding]);
    const text = encoding === 'gzip' ? gunzipSync(body).toString() : new TextDecoder().decode(body);
    expect(JSON.parse(text)).toBeTruthy();
  }
});
