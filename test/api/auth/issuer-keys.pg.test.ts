/** The issuer's keys: fetched when needed, kept while it is away, and given up when it has taken them back. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are read as any client reads them: JSON that nobody has typed */
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

it.each(['RS256', 'RS512', 'ES256', 'EdDSA'])('keys of %s count', async (alg) => {
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

  it('are fetched once for many, from JWKS_URL where it is given', async () => {
    const oidc = oidcOf(own, { jwksUrl: own.jwksUrl });
    const token = await own.token();
    const all = await Promise.all(Array.from({ length: 20 }, () => verdict(oidc, token)));
    expect(new Set(all)).toEqual(new Set(['taken']));
    expect(own.calls).toEqual(['/keys']);
  });

  it('are fetched for no token that cannot be good', async () => {
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

  it('change: a new one is looked for, one taken back is refused', async () => {
    const oidc = oidcOf(own);
    const old = await own.token();
    expect(await verdict(oidc, old)).toBe('taken');
    await own.rotate('ES256');
    await pause(60);
    expect(await verdict(oidc, await own.token())).toBe('taken');
    expect(await verdict(oidc, old)).toBe('refused');
  });

  it('are fetched anew after a while, so that one taken back is refused although nobody asks for another', async () => {
    const oidc = oidcOf(own, { refreshMs: 100 });
    const old = await own.token();
    expect(await verdict(oidc, old)).toBe('taken');
    await own.rotate();
    await expect.poll(() => verdict(oidc, old), { timeout: 5_000, interval: 50 }).toBe('refused');
  });

  it('are asked for no oftener than the pause allows, whatever keys are made up', async () => {
    const oidc = oidcOf(own, { cooldownMs: 60_000 });
    expect(await verdict(oidc, await own.token())).toBe('taken');
    const before = own.calls.length;
    const key = await makeKey('made up', 'ES256');
    for (let i = 0; i < 20; i++)
      expect(await verdict(oidc, await own.token({}, { key: { ...key, kid: `${i}` } }))).toBe('refused');
    expect(own.calls.length).toBe(before);
  });

  it('go on while it is away; what they cannot tell is 503, never 401', async () => {
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
    'let nobody in when the issuer %s at the first question, and again once it is well',
    async (mood) => {
      for (const jwksUrl of [undefined, own.jwksUrl]) {
        own.mood = mood;
        const oidc = oidcOf(own, jwksUrl === undefined ? {} : { jwksUrl });
        const token = await own.token();
        expect(await verdict(oidc, token)).toBe('oidc_unreachable');
        const asked = own.calls.length;
        for (let i = 0; i < 5; i++) expect(await verdict(oidc, token)).toBe('oidc_unreachable');
        expect(own.calls.length).toBe(asked); // a second's rest between two tries
        own.mood = 'well';
        await expect.poll(() => verdict(oidc, token), { timeout: 5_000, interval: 100 }).toBe('taken');
      }
      expect(own.calls.filter((call) => call.startsWith('/elsewhere'))).toEqual([]);
    },
  );

  it.each([
    ['is of another issuer', { issuer: 'https://other.example.org' }],
    ['names keys over an open line', { jwks_uri: 'http://keys.example.org/keys' }],
    ['names keys in a file', { jwks_uri: 'file:///etc/passwd' }],
    ['names no keys', { jwks_uri: 7 }],
  ])('are not taken from a discovery document that %s', async (_, discovery) => {
    own.discovery = discovery;
    expect(await verdict(oidcOf(own), await own.token())).toBe('oidc_unreachable');
    expect(own.calls).not.toContain('/keys');
  });

  it('are waited for five seconds, and the answer says when to ask again', async () => {
    await using slow = await setup({ env: { OIDC_ISSUER: own.issuer, OIDC_AUDIENCE: AUDIENCE } });
    own.mood = 'hangs';
    const began = Date.now();
    const answer = await slow.call('GET', '/jobs', { token: await own.token() });
    expect([answer.status, answer.body.code]).toEqual([503, 'oidc_unreachable']);
    expect(answer.headers.get('retry-after')).toBe('2');
    expect(Date.now() - began).toBeGreaterThan(4_500);
    expect(Date.now() - began).toBeLessThan(20_000);
    expect((await slow.call('GET', '/jobs')).status).toBe(200); // our own need no issuer
  });
});
