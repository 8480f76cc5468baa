/** Tokens of another issuer: which are accepted, what the audit records, and how they differ from our own. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import {
  CompactSign,
  type CryptoKey,
  exportSPKI,
  importJWK,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeUser } from '../../../src/db/access/users.ts';
import { AUDIENCE, makeKey, type OidcIssuer, startOidcIssuer } from '../../support/oidc-issuer.ts';
import { type Api, PASSWORD, SECRET, setup } from '../support.ts';

let issuer: OidcIssuer;
let api: Api;
beforeAll(async () => {
  issuer = await startOidcIssuer();
  // roles.pg.test.ts covers their roles.
  const env = { OIDC_ISSUER: issuer.issuer, OIDC_AUDIENCE: AUDIENCE, OIDC_DEFAULT_ROLE: 'admin' };
  api = await setup({ env });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
});

const seconds = () => Math.floor(Date.now() / 1000);
const status = async (token: string, where = '/jobs') => (await api.call('GET', where, { token })).status;

describe('a token of the issuer', () => {
  it('it is accepted, and so are our own tokens', async () => {
    expect(await status(await issuer.token())).toBe(200);
    expect((await api.call('GET', '/jobs')).status).toBe(200);
    expect(issuer.calls).toEqual(['/realms/test/.well-known/openid-configuration', '/keys']);
  });

  it('it may have more than one audience, or lie within the leeway', async () => {
    expect(await status(await issuer.token({ aud: ['other', AUDIENCE] }))).toBe(200);
    expect(await status(await issuer.token({ exp: seconds() - 2 }))).toBe(200);
    expect(await status(await issuer.token({ nbf: seconds() + 2 }))).toBe(200);
  });

  const now = seconds();
  const good = () => ({ iss: issuer.issuer, aud: AUDIENCE, sub: 'x', iat: now, exp: now + 300 });
  const byHand = async (header: object, secret: Uint8Array | string) => {
    const key = typeof secret === 'string' ? new TextEncoder().encode(secret) : secret;
    return await new SignJWT(good()).setProtectedHeader({ alg: 'HS256', ...header }).sign(key);
  };
  it.each<[string, () => Promise<string> | string]>([
    ['expired', () => issuer.token({ exp: seconds() - 30 })],
    [
      'issued too long ago, though not expired',
      () => issuer.token({ iat: now - 86_500, exp: now + 9_999_999_999 }),
    ],
    ['made tomorrow', () => issuer.token({ iat: now + 86_400, exp: now + 90_000 })],
    ['without a time of issue', () => issuer.token({ iat: undefined as never })],
    ['with an invalid time of issue', () => issuer.token({ iat: 'now' as never })],
    ['an ID token, according to its claim', () => issuer.token({ typ: 'ID' })],
    ['an ID token, according to its binding', () => issuer.token({ at_hash: 'x' })],
    ['without an expiry', () => issuer.token({ exp: undefined as never })],
    ['not valid yet', () => issuer.token({ nbf: seconds() + 60 })],
    ['for another audience', () => issuer.token({ aud: 'other' })],
    ['without an audience', () => issuer.token({ aud: undefined as never })],
    ['of another issuer', () => issuer.token({ iss: 'https://other.example.org' })],
    ['of the issuer with an extra slash', () => issuer.token({ iss: `${issuer.issuer}/` })],
    ['without a sub', () => issuer.token({ sub: undefined as never })],
    ['with an empty sub', () => issuer.token({ sub: '' })],
    ['with a sub of two lines', () => issuer.token({ sub: 'a\nb' })],
    ['with too long a sub', () => issuer.token({ sub: 'a'.repeat(256) })],
    ['unsigned', () => new UnsecuredJWT(good()).encode()],
    ['HS256 by our own secret', () => byHand({}, SECRET)],
    ['HS256 by our own secret, with its kid', () => byHand({ kid: issuer.key().kid }, SECRET)],
    [
      'HS256 by its public key',
      async () => {
        const publicKey = await importJWK(issuer.key().jwk, 'RS256', { extractable: true });
        return await byHand({ kid: issuer.key().kid }, await exportSPKI(publicKey as CryptoKey));
      },
    ],
    [
      'signed by an unsupported algorithm',
      async () => issuer.token({}, { key: await makeKey('k', 'PS256') }),
    ],
    [
      'signed by a foreign key under its kid',
      async () => issuer.token({}, { key: await makeKey(issuer.key().kid, 'RS256') }),
    ],
    [
      'signed by a foreign key that the token contains',
      async () => {
        const key = await makeKey('stranger', 'RS256');
        return await issuer.token({}, { key, header: { jwk: key.jwk, kid: undefined } });
      },
    ],
    ['with a critical header', () => issuer.token({}, { header: { crit: ['x'], x: 1 }, crit: { x: true } })],
    ['with other claims than the signed ones', async () => swapped(await issuer.token())],
    [
      'without any claims',
      async () =>
        new CompactSign(new TextEncoder().encode(`"${issuer.issuer}"`))
          .setProtectedHeader({ alg: 'RS256', kid: issuer.key().kid })
          .sign(issuer.key().privateKey),
    ],
    [
      'that claims our issuer',
      () => issuer.token({ iss: 'syncrator', aud: 'syncrator', sub: 'admin', auth_time: seconds() }),
    ],
    [
      'signed by our secret, claiming the issuer',
      async () =>
        new SignJWT({ ...good(), auth_time: seconds() })
          .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
          .sign(new TextEncoder().encode(SECRET)),
    ],
  ])('is refused: %s', async (_, token) => {
    const answer = await api.call('GET', '/jobs', { token: await token() });
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthorized']);
  });

  it('with OIDC_MAX_AGE=off it may have any age, but not come from the future', async () => {
    const env = { OIDC_ISSUER: issuer.issuer, OIDC_AUDIENCE: AUDIENCE, OIDC_MAX_AGE: 'off' };
    await using old = await setup({ env });
    for (const [claims, expected] of [
      [{ iat: now - 9_999_999 }, 200],
      [{ iat: undefined as never }, 200],
      [{ iat: now + 86_400, exp: now + 90_000 }, 401],
    ] as const)
      expect((await old.call('GET', '/me', { token: await issuer.token(claims) })).status).toBe(expected);
  });

  it('it must have the type of OIDC_TYP, in its header or as a claim', async () => {
    const env = { OIDC_ISSUER: issuer.issuer, OIDC_AUDIENCE: AUDIENCE, OIDC_MAX_AGE: '1h' };
    const told = async (typ: string) => {
      await using strict = await setup({ env: { ...env, OIDC_TYP: typ } });
      const tokens = [
        await issuer.token(),
        await issuer.token({}, { header: { typ: 'JWT' } }),
        await issuer.token({}, { header: { typ: 'at+jwt' } }),
        await issuer.token({}, { header: { typ: 'application/AT+JWT' } }),
        await issuer.token({ typ: 'Bearer' }, { header: { typ: 'JWT' } }),
        await issuer.token({ iat: now - 3_700, typ }),
      ];
      return await Promise.all(
        tokens.map(async (token) => (await strict.call('GET', '/me', { token })).status),
      );
    };
    expect(await told('at+jwt')).toEqual([401, 401, 200, 200, 401, 401]);
    expect(await told('Bearer')).toEqual([401, 401, 401, 401, 200, 401]);
  });

  it('a call without a token gets the body that the predecessor documents', async () => {
    const answer = await api.call('GET', '/api/products', { token: null });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body).toMatchObject({
      detail: 'No Authorization token provided',
      status: 401,
      title: 'Unauthorized',
      type: 'about:blank',
    });
  });
});

function swapped(token: string): string {
  const [head = '', body = '', signature = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as object;
  return [
    head,
    Buffer.from(JSON.stringify({ ...claims, sub: 'root' })).toString('base64url'),
    signature,
  ].join('.');
}

describe('its owner', () => {
  it('the audit names its owner by sub and name, and the database keeps the role', async () => {
    const token = await issuer.token({
      sub: 'auth0|7',
      name: 'Ada  Lovelace\u202e\n',
      'accreditation/role': 'role/dataadministrator',
    });
    const started = await api.call('POST', '/sync/alpha/dev', { token });
    expect(started.status).toBe(202);
    const where = `/jobs/${started.body.job_id}`;
    expect((await api.call('GET', where)).body.requested_by).toBe('oidc:auth0|7 (Ada Lovelace)');
    const cancelled = await api.call('DELETE', where, { token });
    expect(cancelled.body.cancel_requested_by).toBe('oidc:auth0|7 (Ada Lovelace)');
    const rows = await api.db.selectFrom('oidc_users').selectAll().where('sub', '=', 'auth0|7').execute();
    expect(rows).toMatchObject([{ name: 'Ada Lovelace', role: 'role/dataadministrator' }]);
    const later = await issuer.token({ sub: 'auth0|7', preferred_username: 'ada', role: 'reader' });
    expect(await status(later)).toBe(200);
    const kept = await api.db.selectFrom('oidc_users').selectAll().where('sub', '=', 'auth0|7').execute();
    expect(kept).toMatchObject([{ name: 'ada', role: 'reader' }]);
  });

  it('it never becomes a local user, nor another user of the issuer', async () => {
    const shown = async (claims: JWTPayload) => {
      const answer = await api.call('POST', '/maintenance-status', {
        token: await issuer.token(claims),
        json: { msg: 'x', paused: false },
      });
      return answer.body.set_by as string;
    };
    expect(await shown({ sub: 'admin' })).toBe('oidc:admin');
    expect(await shown({ sub: 'oidc:admin' })).toBe('oidc:oidc:admin');
    expect(await shown({ sub: 'x (admin)' })).toBe('oidc:x%20%28admin%29');
    expect(await shown({ sub: 'x', name: 'admin' })).toBe('oidc:x (admin)');
    expect(await shown({ sub: '%20' })).not.toBe(await shown({ sub: ' ' }));
    expect(await shown({ sub: 'n', name: { given: 'x' } })).toBe('oidc:n');
    expect(await shown({ sub: 'n', name: 'N'.repeat(300) })).toBe(`oidc:n (${'N'.repeat(100)})`);
  });

  it('it stays valid when a local user of the same name is disabled', async () => {
    await changeUser(api.db, 'admin', { disabled: true }, { principal: 'test' });
    expect((await api.call('GET', '/jobs')).status).toBe(401);
    expect(await status(await issuer.token({ sub: 'admin' }))).toBe(200);
    await changeUser(api.db, 'admin', { disabled: false }, { principal: 'test' });
  });

  it('it owns its Idempotency-Keys by sub, even if the name changes', async () => {
    const start = async (claims: JWTPayload) =>
      await api.call('POST', '/sync/beta/dev', {
        token: await issuer.token(claims),
        headers: { 'idempotency-key': 'nightly' },
      });
    const first = await start({ sub: 'k', name: 'Before' });
    expect(first.status).toBe(202);
    expect((await start({ sub: 'k', name: 'After' })).body.job_id).toBe(first.body.job_id);
    expect((await start({ sub: 'k', name: 'After' })).status).toBe(202);
    expect((await start({ sub: 'other' })).status).toBe(200); // the same job, deduplicated: another owner's key
  });
});

describe('the local login', () => {
  it('it does not renew tokens of the issuer', async () => {
    const answer = await api.call('POST', '/login/renew', { token: await issuer.token() });
    expect([answer.status, answer.body.code]).toEqual([409, 'not_ours']);
    expect(answer.body.detail).toContain(issuer.issuer);
  });

  it('LOCAL_LOGIN=false closes it', async () => {
    await using closed = await setup({
      env: { OIDC_ISSUER: issuer.issuer, OIDC_AUDIENCE: AUDIENCE, LOCAL_LOGIN: 'false' },
    });
    const json = { username: 'admin', password: PASSWORD };
    for (const [where, asked] of [
      ['/login', { json, token: null }],
      ['/login/renew', {}],
    ] as const) {
      const answer = await closed.call('POST', where, asked);
      expect([where, answer.status, answer.body.code]).toEqual([where, 403, 'local_login_off']);
      expect(answer.body.detail).toContain(issuer.issuer);
      expect(answer.body.access_token).toBeUndefined();
    }
    expect((await closed.call('GET', '/jobs', { token: await issuer.token() })).status).toBe(200);
    const page = await closed.call('GET', '/', { token: null });
    expect(page.text).toContain('<meta name="local-login" content="false">');
  });
});
