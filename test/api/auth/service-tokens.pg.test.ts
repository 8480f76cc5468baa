/**
 * Service tokens: their permissions and expiry, the messages of refusals, and that the database keeps nothing
 * that could be used as one.
 */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { addServiceToken, revokeServiceToken } from '../../../src/db/access/service-tokens.ts';
import { type Grant, grantOf, unlimited } from '../../../src/domain/permission.ts';
import { makeServiceToken, parseServiceToken } from '../../../src/auth/service-token.ts';
import { AUDIENCE, startOidcIssuer } from '../../support/oidc-issuer.ts';
import { type Api, setup } from '../support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup();
});
afterAll(() => api[Symbol.asyncDispose]());
afterEach(async () => {
  await sql`TRUNCATE jobs, idempotency_keys, targets, service_tokens CASCADE`.execute(api.db);
});

const TEST = { principal: 'test' };
async function made(
  name: string,
  grant: Grant = unlimited('operator'),
  seconds: number | null = 3_600,
): Promise<string> {
  const { id, hash, token } = makeServiceToken();
  expect(await addServiceToken(api.db, { id, hash, name, grant, seconds }, TEST)).toBeDefined();
  return token;
}
const start = (token: string, where = '/sync/alpha/dev', headers = {}) =>
  api.call('POST', where, { token, headers });

describe('a token', () => {
  it('a service token acts under its own name, within its role and limits', async () => {
    const token = await made('nightly', grantOf('operator', ['dev'], ['sync']));
    const { status, body } = await start(token);
    expect(status).toBe(202);
    expect((await api.call('GET', `/jobs/${body.job_id}`, { token })).body.requested_by).toBe(
      'token:nightly',
    );
    expect((await start(token, '/delta/alpha/dev')).body).toMatchObject({
      code: 'forbidden',
      outside: { action: 'delta' },
    });
    expect((await start(token, '/sync/alpha/qas')).body.outside).toEqual({ env: 'qas' });
    const paused = await api.call('POST', '/maintenance-status', { token, json: { msg: '', paused: true } });
    expect([paused.status, paused.body.needs]).toEqual([403, 'admin']);
    const viewer = await made('dashboard', unlimited('viewer'));
    expect((await api.call('GET', '/jobs', { token: viewer })).status).toBe(200);
    expect((await start(viewer)).body.needs).toBe('operator');
  });

  it('GET /me shows a service token its permissions and its expiry', async () => {
    const ends = (await api.call('GET', '/me', { token: await made('nightly') })).body;
    expect(ends).toMatchObject({ name: 'token:nightly', kind: 'token', role: 'operator', envs: null });
    const left = Date.parse(ends.expires_at) - Date.now();
    expect(left).toBeGreaterThan(3_500_000);
    expect(left).toBeLessThan(3_700_000);
    const never = await made('for ever', unlimited('viewer'), null);
    expect((await api.call('GET', '/me', { token: never })).body.expires_at).toBeNull();
  });

  it('a service token has its own Idempotency-Keys', async () => {
    const [one, other] = [await made('one'), await made('other')];
    const key = { 'idempotency-key': 'tonight' };
    const first = await start(one, '/sync/alpha/dev', key);
    expect((await start(one, '/sync/alpha/dev', key)).status).toBe(202);
    // deduplicated, although the key belongs to another caller
    expect((await start(other, '/sync/alpha/dev', key)).status).toBe(200);
    expect(first.status).toBe(202);
  });

  it('a service token cannot be renewed, and is not a login', async () => {
    const answer = await api.call('POST', '/login/renew', { token: await made('nightly') });
    expect([answer.status, answer.body.code]).toEqual([409, 'not_renewed']);
  });

  it('a service token works beside an issuer, and without the local login', async () => {
    await using issuer = await startOidcIssuer();
    const env = { OIDC_ISSUER: issuer.issuer, OIDC_AUDIENCE: AUDIENCE, LOCAL_LOGIN: 'false' };
    await using closed = await setup({ env });
    const { id, hash, token } = makeServiceToken();
    const of = { id, hash, name: 'nightly', grant: unlimited('viewer'), seconds: null };
    await addServiceToken(closed.db, of, TEST);
    expect((await closed.call('GET', '/jobs', { token })).status).toBe(200);
    expect(issuer.calls).toEqual([]);
  });
});

describe('a refused token', () => {
  const everywhere = ['/jobs', '/me', '/sync/alpha/dev', '/events', '/jobs/1/logs'];
  const codes = async (token: string) =>
    await Promise.all(
      everywhere.map(async (where) => {
        const { status, body } = await api.call('GET', where, { token });
        return [status, body.code, body.detail];
      }),
    );

  it('an expired token is refused with its expiry', async () => {
    const token = await made('nightly', unlimited('admin'), -1);
    const day = new Date(Date.now() - 1_000).toISOString().slice(0, 10);
    for (const told of await codes(token))
      expect(told).toEqual([401, 'token_expired', `the token nightly expired on ${day}`]);
    // Its name is taken until it is revoked.
    const { id, hash } = makeServiceToken();
    const again = { id, hash, name: 'nightly', grant: unlimited('admin'), seconds: 60 };
    expect(await addServiceToken(api.db, again, TEST)).toBeUndefined();
  });

  it('a revoked token is refused at the next call, even if a new token has its name', async () => {
    const token = await made('nightly', unlimited('admin'));
    const other = await made('other', unlimited('admin'));
    expect((await api.call('GET', '/jobs', { token })).status).toBe(200);
    expect(await revokeServiceToken(api.db, 'nightly', TEST)).toBe(true);
    expect(await revokeServiceToken(api.db, 'nightly', TEST)).toBe(false);
    for (const told of await codes(token))
      expect(told).toEqual([
        401,
        'token_revoked',
        expect.stringMatching(/^the token nightly was revoked on 20/),
      ]);
    expect((await api.call('GET', '/jobs', { token: other })).status).toBe(200);
    const successor = await made('nightly', unlimited('admin'));
    expect((await api.call('GET', '/jobs', { token: successor })).status).toBe(200);
    expect((await api.call('GET', '/jobs', { token })).status).toBe(401);
  });

  it('the refusal of an unknown token reveals neither id nor state', async () => {
    const good = await made('good', unlimited('admin'));
    const expired = await made('expired', unlimited('admin'), -1);
    const stranger = makeServiceToken().token;
    const ending = stranger.slice(-43);
    for (const token of [
      stranger,
      good.slice(0, -43) + ending,
      expired.slice(0, -43) + ending,
      good.slice(0, -1),
      `${good}x`,
      good.toUpperCase(),
      good.replace('syn_', ''),
      good.replace('syn_', 'syn__'),
      'syn_',
      `syn_${'0'.repeat(16)}_`,
    ])
      for (const [status, code] of await codes(token))
        expect([token, status, code]).toEqual([token, 401, 'unauthorized']);
  });

  it('a token that is not sent as a bearer token is refused with the reason', async () => {
    const token = await made('nightly');
    for (const authorization of [token, `Token ${token}`, `Basic ${btoa(`nightly:${token}`)}`])
      expect((await api.call('GET', '/jobs', { token: null, headers: { authorization } })).status).toBe(401);
    expect((await api.call('GET', `/jobs?access_token=${token}`, { token: null })).status).toBe(401);
    expect((await api.call('PUT', '/jobs/1/report', { token, json: {} })).status).toBe(401);
  });
});

describe('the record of a token', () => {
  it('the database keeps its hash, and nothing that grants access', async () => {
    const token = await made('nightly');
    const { rows } = await sql<{ line: string }>`SELECT t::text AS line FROM service_tokens t`.execute(
      api.db,
    );
    expect(rows).toHaveLength(1);
    const [, , secret = ''] = token.split('_');
    for (const { line } of rows) {
      expect(line).toContain(parseServiceToken(token)?.hash.toString('hex'));
      expect(line).not.toContain(token);
      expect(line).not.toContain(secret);
    }
    // The hash does not work as a token either.
    const hash = parseServiceToken(token)?.hash.toString('base64url') ?? '';
    const forged = `${token.slice(0, -43)}${hash}`;
    expect((await api.call('GET', '/jobs', { token: forged })).status).toBe(401);
  });

  it('the last use is recorded, at most once a minute', async () => {
    const token = await made('nightly');
    const lastUse = async () =>
      (await api.db.selectFrom('service_tokens').select('last_used_at').executeTakeFirstOrThrow())
        .last_used_at;
    expect(await lastUse()).toBeNull();
    await api.call('GET', '/jobs', { token });
    const first = await lastUse();
    expect(Date.now() - (first?.getTime() ?? 0)).toBeLessThan(10_000);
    await Promise.all(Array.from({ length: 5 }, () => api.call('GET', '/jobs', { token })));
    expect(await lastUse()).toEqual(first);
    await sql`UPDATE service_tokens SET last_used_at = now() - interval '61 seconds'`.execute(api.db);
    await api.call('GET', '/jobs', { token });
    expect((await lastUse())?.getTime()).toBeGreaterThanOrEqual(first?.getTime() ?? Infinity);
  });
});
