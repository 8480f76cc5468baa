/** The issuer's keys: fetched when needed, kept while the issuer is away, and dropped once it has withdrawn them. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createOidc } from '../../../src/api/auth/oidc.ts';
import { signToken } from '../../../src/api/auth/tokens.ts';
import { unlimited } from '../../../src/domain/permission.ts';
import { createLog } from '../../../src/log.ts';
import { AUDIENCE, makeKey, type OidcIssuer, startOidcIssuer } from '../../support/oidc-issuer.ts';
import { SECRET, setup } from '../support.ts';

const roles = { roleClaims: [], roles: [], otherwise: unlimited('viewer') };
const seconds = () => Math.floor(Date.now() / 1000);

it.each(['RS256', 'RS512', 'ES256', 'EdDSA'])('a token signed by %s is accepted', async (alg) => {
  await using own = await startOidcIssuer();
  const oidc = oidcOf(own);
  await own.rotate(alg);
  expect(await oidc.verify(await own.token(), new Date())).toMatchObject({ id: 'oidc:1234-5678' });
});

function oidcOf(of: OidcIssuer, more: { jwksUrl?: string; cooldownMs?: number; refreshMs?: number } = {}) {
  const { jwksUrl, cooldownMs = 50, refreshMs = 600_000 } = more;
  return createOidc(
    { issuer: of.issuer, audience: AUDIENCE, jwksUrl, maxAgeSeconds: undefined, typ: undefined, ...roles },
    { log: createLog({ name: 'test', level: 'silent' }), times: { cooldownMs, refreshMs } },
  );
}

describe('its keys', () => {
  let own: OidcIssuer;
  beforeEach(async () => {
    own = await startOidcIssuer();
  });
  afterEach(() => own[Symbol.asyncDispose]());
  const verdict = async (oidc: ReturnType<typeof oidcOf>, token: string) => {
    try {
      return (await oidc.verify(token, new Date())) ? 'taken' : 'refused';
    } catch (error) {
      return (error as { code?: string }).code ?? 'unknown error';
    }
  };
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  it('keys are fetched once for many tokens, from JWKS_URL if it is set', async () => {
    const oidc = oidcOf(own, { jwksUrl: own.jwksUrl });
    const token = await own.token();
    const all = await Promise.all(Array.from({ length: 20 }, () => verdict(oidc, token)));
    expect(new Set(all)).toEqual(new Set(['taken']));
    expect(own.calls).toEqual(['/keys']);
  });

  it('a token that cannot be valid causes no fetch', async () => {
    const oidc = oidcOf(own);
    const hmac = await new SignJWT({ iss: own.issuer, sub: 'x' })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(SECRET));
    expect(oidc.isNamedIn(hmac)).toBe(true);
    expect(await verdict(oidc, hmac)).toBe('refused');
    for (const text of [
      'a.b.c',
      'nonsense',
      'e30.e30.',
      await signToken([SECRET], { sub: 'a', authTime: 1 }),
    ])
      expect(oidc.isNamedIn(text)).toBe(false);
    expect(own.calls).toEqual([]);
  });

  it('an unknown key causes a fetch, and a withdrawn key is refused', async () => {
    const oidc = oidcOf(own);
    const old = await own.token();
    expect(await verdict(oidc, old)).toBe('taken');
    await own.rotate('ES256');
    await pause(60);
    expect(await verdict(oidc, await own.token())).toBe('taken');
    expect(await verdict(oidc, old)).toBe('refused');
  });

  it('keys are fetched again after a while, so that a withdrawn key is refused without any other token', async () => {
    const oidc = oidcOf(own, { refreshMs: 100 });
    const old = await own.token();
    expect(await verdict(oidc, old)).toBe('taken');
    await own.rotate();
    await expect.poll(() => verdict(oidc, old), { timeout: 5_000, interval: 50 }).toBe('refused');
  });

  it('made-up keys cause no more fetches than the pause allows', async () => {
    const oidc = oidcOf(own, { cooldownMs: 60_000 });
    expect(await verdict(oidc, await own.token())).toBe('taken');
    const before = own.calls.length;
    const key = await makeKey('made up', 'ES256');
    for (let i = 0; i < 20; i++)
      expect(await verdict(oidc, await own.token({}, { key: { ...key, kid: `${i}` } }))).toBe('refused');
    expect(own.calls.length).toBe(before);
  });

  it('known keys stay valid while the issuer is away; an unknown key is answered with 503, never 401', async () => {
    const oidc = oidcOf(own, { refreshMs: 20 });
    const token = await own.token();
    expect(await verdict(oidc, token)).toBe('taken');
    own.mood = 'refuses';
    await pause(60);
    for (let i = 0; i < 5; i++) {
      expect(await verdict(oidc, token)).toBe('taken');
      await pause(60);
    }
    expect(await verdict(oidc, await own.token({ exp: seconds() - 60 }))).toBe('refused');
    await own.rotate();
    expect(await verdict(oidc, await own.token())).toBe('oidc_unreachable');
    own.mood = 'well';
    const fresh = await own.token();
    await expect.poll(() => verdict(oidc, fresh), { timeout: 5_000 }).toBe('taken');
  });

  it.each(['refuses', 'elsewhere', 'broken', 'endless'] as const)(
    'no token is accepted when the issuer %s at the first fetch, and tokens are accepted once it recovers',
    async (mood) => {
      for (const jwksUrl of [undefined, own.jwksUrl]) {
        own.mood = mood;
        const oidc = oidcOf(own, jwksUrl === undefined ? {} : { jwksUrl });
        const token = await own.token();
        expect(await verdict(oidc, token)).toBe('oidc_unreachable');
        const asked = own.calls.length;
        for (let i = 0; i < 5; i++) expect(await verdict(oidc, token)).toBe('oidc_unreachable');
        expect(own.calls.length).toBe(asked); // a pause of one second between two tries
        own.mood = 'well';
        await expect.poll(() => verdict(oidc, token), { timeout: 5_000, interval: 100 }).toBe('taken');
      }
      expect(own.calls.filter((call) => call.startsWith('/elsewhere'))).toEqual([]);
    },
  );

  it.each([
    ['names another issuer', { issuer: 'https://other.example.org' }],
    ['names keys over plain HTTP', { jwks_uri: 'http://keys.example.org/keys' }],
    ['names keys in a file', { jwks_uri: 'file:///etc/passwd' }],
    ['names no keys', { jwks_uri: 7 }],
  ])('keys are not fetched by a discovery document that %s', async (_, discovery) => {
    own.discovery = discovery;
    expect(await verdict(oidcOf(own), await own.token())).toBe('oidc_unreachable');
    expect(own.calls).not.toContain('/keys');
  });

  it('a call waits five seconds for keys, and its answer says when to try again', async () => {
    await using slow = await setup({ env: { OIDC_ISSUER: own.issuer, OIDC_AUDIENCE: AUDIENCE } });
    own.mood = 'hangs';
    const began = Date.now();
    const answer = await slow.call('GET', '/jobs', { token: await own.token() });
    expect([answer.status, answer.body.code]).toEqual([503, 'oidc_unreachable']);
    expect(answer.headers.get('retry-after')).toBe('2');
    expect(Date.now() - began).toBeGreaterThan(4_500);
    expect(Date.now() - began).toBeLessThan(20_000);
    expect((await slow.call('GET', '/jobs')).status).toBe(200); // our own tokens need no issuer
  });
});
