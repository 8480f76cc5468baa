/** By which host names public reads are allowed, and where a browser is redirected that asks for a path of the api. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../../src/api/app.ts';
import { knownHosts } from '../../../src/api/http/known-hosts.ts';
import type { Config } from '../../../src/config/config.ts';
import { type Api, setup } from '../support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup({ env: { PUBLIC_READS: 'true', SYNCRATOR_PUBLIC_URL: 'https://sync.example.org/' } });
});
afterAll(() => api[Symbol.asyncDispose]());

describe('public reads', () => {
  it.each<[string, string, string, number]>([
    ['GET', '/jobs', 'evil.example', 421],
    ['GET', '/', 'evil.example:8080', 421],
    ['HEAD', '/events', 'evil.example', 421],
    ['GET', '/no-such-thing', 'evil.example', 421],
    ['GET', '/jobs', 'localhost:8080', 200],
    ['GET', '/jobs', '10.1.2.3:8080', 200],
    ['GET', '/jobs', '[::1]:8080', 200],
    ['GET', '/jobs', 'sync.example.org', 200],
    ['GET', '/health/live', 'whatever.a.probe.says.example', 200],
    ['POST', '/sync/alpha/dev', 'hooks.example.org', 401],
  ])('%s %s under the name %s is answered with %s', async (method, where, host, status) => {
    const answer = await api.raw(method, where, { token: null, headers: { host } });
    expect(answer.status).toBe(status);
    if (status === 421 && method === 'GET')
      expect(await answer.json()).toMatchObject({
        code: 'unknown_host',
        detail: expect.stringMatching(/evil\.example.*ALLOWED_HOSTS/),
      });
  });

  it('no header of a proxy makes a name accepted', async () => {
    const headers = { host: 'evil.example', 'x-forwarded-host': 'localhost', forwarded: 'host=localhost' };
    expect((await api.call('GET', '/jobs', { token: null, headers })).status).toBe(421);
  });
});

describe('any name is accepted', () => {
  const base = () => ({ ...api.deps.config, publicUrl: undefined });
  it.each<[string, Partial<Config>, boolean]>([
    ['on this machine only', {}, false],
    ['if reads need a token', { publicReads: false }, true],
    ['behind an ingress whose name is not configured', { host: '0.0.0.0' }, true],
    ['not under a configured name', { host: '0.0.0.0', allowedHosts: ['sync.example.org'] }, false],
    ['if `*` is configured', { host: '0.0.0.0', allowedHosts: ['*'] }, true],
  ])('%s', (_, part, isAny) => {
    const isKnown = knownHosts({ ...base(), ...part });
    expect(isKnown?.('evil.example') ?? true).toBe(isAny);
    expect(isKnown?.(new URL(base().reportBaseUrl).host) ?? true).toBe(true);
  });

  it('the host of the report URL of pods is always accepted', () => {
    const isKnown = knownHosts({ ...base(), reportBaseUrl: 'http://sync.pods.example:8080' });
    expect(isKnown?.('sync.pods.example:8080')).toBe(true);
  });
});

describe('a browser without a token', () => {
  const BROWSERS = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
  const closed = () => createApp({ ...api.deps, config: { ...api.deps.config, publicReads: false } });
  const ask = async (where: string, headers: Record<string, string>) =>
    await closed().request(where, { headers });

  it.each([
    ['/jobs/74', '/#/jobs/74'],
    ['/jobs', '/#/jobs'],
    ['/jobs?env=dev&status=failed', '/#/jobs?env=dev&status=failed'],
    ['/schedules', '/#/schedules'],
    ['/audit', '/#/audit'],
    ['/maintenance', '/#/maintenance'],
    ['/maintenance-status', '/#/maintenance'],
    ['/targets', '/#/'],
    ['/targets/avo', '/#/jobs?target=avo'],
    ['/no/such/thing', '/#/no/such/thing'],
    ['/%C3%A4//evil.example', '/#/%C3%A4//evil.example'],
  ])('is redirected from %s to %s', async (where, location) => {
    const answer = await ask(where, { accept: BROWSERS });
    expect([answer.status, answer.headers.get('location')]).toEqual([302, location]);
  });

  it.each([
    ['*/*', '/jobs/74', 401],
    ['application/json', '/jobs', 401],
    ['application/json, text/html', '/jobs', 401],
    ['*/*', '/no/such/thing', 404],
    [BROWSERS, '/jobs/74/logs?download', 401],
    [BROWSERS, '/docs', 200],
    [BROWSERS, '/health/live', 200],
  ])('clients are not redirected: Accept %s of %s gives %s', async (accept, where, status) => {
    expect((await ask(where, { accept })).status).toBe(status);
  });

  it('a browser with a token is not redirected', async () => {
    const authorization = `Bearer ${api.token}`;
    expect((await ask('/jobs', { accept: BROWSERS, authorization })).status).toBe(200);
    expect((await ask('/no/such/thing', { accept: BROWSERS, authorization })).status).toBe(404);
  });
});
