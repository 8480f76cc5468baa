/** Logging in, renewing a login, and which tokens are valid. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { SignJWT, UnsecuredJWT } from 'jose';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signToken, TOKEN_SECONDS } from '../../../src/api/auth/tokens.ts';
import { changeUser } from '../../../src/db/access/users.ts';
import { type Api, justNow, OLD_SECRET, PASSWORD, SECRET, setup } from '../support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup();
});
afterAll(() => api[Symbol.asyncDispose]());

const good = { username: 'admin', password: PASSWORD };
const form = (fields: Record<string, string>) => {
  const data = new FormData();
  for (const [key, value] of Object.entries(fields)) data.set(key, value);
  return data;
};
const key = (secret: string) => new TextEncoder().encode(secret);
const seconds = () => Math.floor(Date.now() / 1000);

const make = (change: (jwt: SignJWT) => SignJWT, secret = SECRET, alg = 'HS256') =>
  change(
    new SignJWT({ auth_time: justNow() })
      .setProtectedHeader({ alg })
      .setSubject('admin')
      .setIssuer('syncrator')
      .setAudience('syncrator')
      .setIssuedAt()
      .setExpirationTime('899s'),
  ).sign(key(secret));

describe('POST /login', () => {
  it.each([
    ['JSON', { json: good }],
    ['a urlencoded form', { body: new URLSearchParams(good) }],
    ['a multipart form', { body: form(good) }],
  ])('takes %s', async (_, asked) => {
    const answer = await api.call('POST', '/login', { ...asked, token: null });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      access_token: expect.any(String),
      expires_in: 899,
      token_type: 'bearer',
    });
    expect((await api.call('GET', '/jobs', { token: answer.body.access_token })).status).toBe(200);
  });

  it.each([
    ['a wrong password', { ...good, password: 'wrong' }, 401],
    ['an unknown user', { ...good, username: 'nobody' }, 401],
    ['an empty body', {}, 422],
    ['an unknown field', { ...good, admin: true }, 422],
    ['a password that is a number', { ...good, password: 12345678 }, 422],
    ['NUL in the name', { ...good, username: 'ad\u0000min' }, 400],
  ])('refuses %s', async (_, json, status) => {
    const answer = await api.call('POST', '/login', { json, token: null });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.text).not.toContain(PASSWORD);
  });

  it.each([
    ['NUL in a form', { body: new URLSearchParams({ ...good, username: 'a\u0000' }) }, 400],
    ['a field twice', { body: new URLSearchParams([...Object.entries(good), ['username', 'x']]) }, 422],
    [
      'a file as password',
      {
        body: (() => {
          const f = form({ username: 'admin' });
          f.set('password', new Blob(['x']));
          return f;
        })(),
      },
      422,
    ],
    [
      'a broken multipart form',
      { body: 'nothing', headers: { 'content-type': 'multipart/form-data; boundary=x' } },
      400,
    ],
    ['text', { body: 'username=admin', headers: { 'content-type': 'text/plain' } }, 415],
    ['broken JSON', { body: '{', headers: { 'content-type': 'application/json' } }, 400],
  ])('refuses %s', async (_, asked, status) => {
    expect((await api.call('POST', '/login', { ...asked, token: null })).status).toBe(status);
  });

  it('a disabled user is refused', async () => {
    await changeUser(api.db, 'admin', { disabled: true }, { principal: 'test' });
    expect((await api.call('POST', '/login', { json: good, token: null })).status).toBe(401);
    expect((await api.call('POST', '/login/renew')).status).toBe(401);
    for (const [method, route] of [
      ['GET', '/jobs'],
      ['POST', '/sync/alpha/dev'],
      ['DELETE', '/jobs/1'],
    ] as const)
      expect(await api.call(method, route)).toMatchObject({ status: 401, body: { code: 'user_disabled' } });
    await changeUser(api.db, 'admin', { disabled: false }, { principal: 'test' });
  });
});

describe('POST /login/renew', () => {
  it('a renewed login keeps the time of its password and ends twelve hours after it', async () => {
    await sql`UPDATE users SET logins_ended_at = logins_ended_at - interval '1 day'`.execute(api.db);
    const early = seconds() - 12 * 3600 + 60;
    const token = await signToken([SECRET], { sub: 'admin', authTime: early });
    const renewed = await api.call('POST', '/login/renew', { token });
    expect(renewed.status).toBe(200);
    const payload = JSON.parse(Buffer.from(renewed.body.access_token.split('.')[1], 'base64url').toString());
    expect(payload).toMatchObject({ sub: 'admin', auth_time: early, iss: 'syncrator', aud: 'syncrator' });
    const late = await signToken([SECRET], { sub: 'admin', authTime: seconds() - 12 * 3600 - 1 });
    const refused = await api.call('POST', '/login/renew', { token: late });
    expect(refused.status).toBe(401);
    expect(refused.body.code).toBe('login_expired');
  });
});

describe('tokens', () => {
  it.each<[string, () => Promise<string> | string, number]>([
    ['ours', () => make((j) => j), 200],
    ['our own, signed by the old secret', () => make((j) => j, OLD_SECRET), 200],
    ['signed by another secret', () => make((j) => j, 'some other secret of thirty-two characters'), 401],
    ['expired', () => make((j) => j.setExpirationTime(seconds() - 5)), 401],
    [
      'valid for longer than ours',
      () => make((j) => j.setIssuedAt(seconds() - TOKEN_SECONDS - 5).setExpirationTime('10h')),
      401,
    ],
    ['of another issuer', () => make((j) => j.setIssuer('other')), 401],
    ['for another audience', () => make((j) => j.setAudience('other')), 401],
    ['signed by another algorithm', () => make((j) => j, SECRET.repeat(2), 'HS512'), 401],
    [
      'unsigned',
      () =>
        new UnsecuredJWT({ auth_time: justNow() })
          .setSubject('admin')
          .setIssuer('syncrator')
          .setAudience('syncrator')
          .setIssuedAt()
          .setExpirationTime('899s')
          .encode(),
      401,
    ],
    ['nonsense', () => 'nonsense', 401],
  ])('%s', async (_, token, status) => {
    expect((await api.call('GET', '/jobs', { token: await token() })).status).toBe(status);
  });

  it('calls need a bearer token', async () => {
    const none = await api.call('GET', '/jobs', { token: null });
    expect(none.status).toBe(401);
    expect(none.headers.get('www-authenticate')).toMatch(/^Bearer/);
    const basic = { authorization: `Basic ${btoa(`admin:${PASSWORD}`)}` };
    expect((await api.call('GET', '/jobs', { token: null, headers: basic })).status).toBe(401);
  });

  it('reads need no token with PUBLIC_READS=true', async () => {
    await using open = await setup({ env: { PUBLIC_READS: 'true' } });
    for (const where of [
      '/jobs',
      '/targets',
      '/sync/alpha/dev',
      '/maintenance-status',
      '/schedules',
      '/sync_jobs',
    ])
      expect([where, (await open.call('GET', where, { token: null })).status]).toEqual([where, 200]);
    expect((await open.call('POST', '/sync/alpha/dev', { token: null })).status).toBe(401);
    expect((await open.call('POST', '/dryrun', { token: null, json: {} })).status).toBe(401);
  });
});
