/** Calls of the account's API: tokens, retries, deadlines, and the outcome of each fault. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { faultIn } from '../../../../src/domain/source-fault.ts';
import { freePort } from '../../../../src/embedded/ports.ts';
import { JobError } from '../../../../src/job/job-error.ts';
import { API_PASSWORD, FIXED_TOKEN, NO_SUCH_NAME, type Trouble } from '../../../support/account-api.ts';
import { type AccountSetup, type Ended, setupAccount, WITH_PASSWORD } from '../../support/account.ts';

const faultOf = ({ last }: Ended) => faultIn(last?.message ?? '');

describe('the access token', () => {
  it('has priority over user and password if configured, and is never renewed', async () => {
    await using t = await setupAccount();
    const { code } = await t.run('sync', { ...WITH_PASSWORD, API_TOKEN: FIXED_TOKEN });
    expect(code).toBe(EXIT.ok);
    expect(t.api.count('auth')).toBe(0);
  });

  it.each(['API_TOKEN', 'INTERVAL_RETRY_TOKEN_SECONDS'])('ignores an empty %s', async (key) => {
    await using t = await setupAccount();
    expect((await t.run('sync', { ...WITH_PASSWORD, [key]: '' })).code).toBe(EXIT.ok);
    expect(t.api.count('auth')).toBe(1);
  });

  it.each([
    [{ API_TOKEN: '', API_USER: '', API_PASSWORD: '' }, 'API_TOKEN is missing'],
    [{ API_TOKEN: '', API_USER: 'alice', API_PASSWORD: '' }, 'API_PASSWORD is missing'],
    [{ API_TOKEN: '', API_USER: '', API_PASSWORD }, 'API_USER is missing'],
    [{ API_TOKEN: 'two words' }, 'API_TOKEN has characters that are not allowed in an HTTP header'],
    [{ ACCOUNT_API_URL: '' }, 'ACCOUNT_API_URL is missing'],
    [{ ACCOUNT_API_URL: 'ftp://example.org' }, 'ACCOUNT_API_URL is not a URL'],
    [{ ACCOUNT_API_URL: 'https://alice:s3cret@example.org/' }, 'more than an address'],
    [{ ...WITH_PASSWORD, INTERVAL_RETRY_TOKEN_SECONDS: 'soon' }, 'INTERVAL_RETRY_TOKEN_SECONDS is not'],
    [{ API_TIMEOUT_SECONDS: '0' }, 'API_TIMEOUT_SECONDS is not'],
    [{ SINK_SCHEMA: 'No"Name' }, 'SINK_SCHEMA is not a name'],
    [{ SINK_URL: '' }, 'SINK_URL is missing'],
    [{ SINK: 'paper' }, 'SINK=paper is unknown'],
  ])('is not configured by %j: %s', async (settings, words) => {
    await using t = await setupAccount();
    const ended = await t.run('sync', settings);
    expect(ended.code).toBe(EXIT.notConfigured);
    expect(ended.last?.message).toContain(words);
    expect(ended.last?.message).toContain('; set it in ');
    expect(ended.output).not.toMatch(/s3cret|0815/);
    expect(t.api.calls).toEqual([]);
  });

  it('is fetched as the API documents it, once for all calls of a run', async () => {
    await using t = await setupAccount();
    expect((await t.run('sync', WITH_PASSWORD)).code).toBe(EXIT.ok);
    expect(t.api.calls[0]).toEqual({
      method: 'POST',
      path: 'auth',
      body: { grant_type: 'password', username: 'alice', password: API_PASSWORD, scope: 'default' },
    });
    expect(t.api.calls.map(({ path }) => path)).toEqual(['auth', 'iam/users/me', 'iam/users/3/warehouses']);
  });

  it('is renewed before it expires, so that no call is refused', async () => {
    await using t = await setupAccount();
    t.api.expiresInSeconds = 4;
    t.api.trouble = async (path) => {
      if (path === 'iam/users/me') await wait(2_100); // more than half of its lifetime
      return undefined;
    };
    expect((await t.run('sync', WITH_PASSWORD)).code).toBe(EXIT.ok);
    expect([t.api.count('auth'), t.api.refusals]).toEqual([2, 0]);
  });

  it('is fetched again once after a refusal', async () => {
    await using t = await setupAccount();
    t.api.trouble = (path) => {
      if (path.endsWith('/warehouses') && t.api.granted.length === 1) t.api.revoke();
      return undefined;
    };
    expect((await t.run('sync', WITH_PASSWORD)).code).toBe(EXIT.ok);
    expect(t.api.calls.map(({ path }) => path)).toEqual([
      'auth',
      'iam/users/me',
      'iam/users/3/warehouses',
      'auth',
      'iam/users/3/warehouses',
    ]);
  });

  it('leads to unauthorized after two refusals', async () => {
    await using t = await setupAccount();
    t.api.trouble = (path) => (path === 'auth' ? undefined : { status: 401 });
    const ended = await t.run('sync', WITH_PASSWORD);
    expect([ended.code, faultOf(ended)]).toEqual([EXIT.sourceUnauthorized, 'unauthorized']);
    expect(t.api.count('auth')).toBe(2);
    expect(t.api.count('iam/users/me')).toBe(2);
  });

  it('leads to unauthorized at once if the configured one is refused', async () => {
    await using t = await setupAccount();
    t.api.fixedToken = 'another';
    const ended = await t.run('sync', { API_USER: 'alice', API_PASSWORD });
    expect([ended.code, faultOf(ended)]).toEqual([EXIT.sourceUnauthorized, 'unauthorized']);
    expect(t.api.calls).toHaveLength(1);
  });

  it('leads to unauthorized after one attempt with a wrong password', async () => {
    await using t = await setupAccount();
    t.api.password = 'changed';
    const ended = await t.run('sync', WITH_PASSWORD);
    expect([ended.code, faultOf(ended)]).toEqual([EXIT.sourceUnauthorized, 'unauthorized']);
    expect(t.api.calls).toHaveLength(1);
  });

  it.each<[string, Trouble]>([
    ['a cut connection', 'drop'],
    ['an answer cut off', 'half'],
    ['a 503', { status: 503 }],
    ['a 429', { status: 429, headers: { 'retry-after': '0' } }],
  ])('is requested again after %s', async (_, trouble) => {
    await using t = await setupAccount();
    t.api.trouble = (path, count) => (path === 'auth' && count <= 2 ? trouble : undefined);
    expect((await t.run('sync', WITH_PASSWORD)).code).toBe(EXIT.ok);
    expect(t.api.count('auth')).toBe(3);
  });

  it('is requested again at the configured interval', async () => {
    await using t = await setupAccount();
    const at: number[] = [];
    t.api.trouble = (path) => {
      if (path === 'auth') at.push(performance.now());
      return 'drop';
    };
    const ended = await t.run('sync', { ...WITH_PASSWORD, INTERVAL_RETRY_TOKEN_SECONDS: '1' });
    expect([ended.code, faultOf(ended)]).toEqual([EXIT.sourceUnreachable, 'closed']);
    expect(at).toHaveLength(3);
    for (const [before, after] of [at.slice(0, 2), at.slice(1)]) {
      expect((after ?? 0) - (before ?? 0)).toBeGreaterThan(900);
    }
  });
});

describe('a fault of the account API', () => {
  const withTrouble = async (t: AccountSetup, trouble: Trouble, settings = {}) => {
    t.api.trouble = (path) => (path === 'iam/users/me' ? trouble : undefined);
    return await t.run('sync', settings);
  };

  it.each<[string, Trouble, keyof typeof EXIT, string, number]>([
    ['silence', 'stall', 'sourceTimeout', 'timeout', 3],
    ['a cut connection', 'drop', 'sourceUnreachable', 'closed', 3],
    ['an answer cut off', 'half', 'sourceUnreachable', 'closed', 3],
    ['a 500', { status: 500 }, 'failed', 'http_error', 3],
    ['a 404', { status: 404 }, 'failed', 'http_error', 1],
    ['a redirect', { status: 302, headers: { location: '/elsewhere' } }, 'failed', 'http_error', 1],
    ['a 429', { status: 429, headers: { 'retry-after': '0' } }, 'failed', 'rate_limited', 3],
    ['a 429 for long', { status: 429, headers: { 'retry-after': '3600' } }, 'failed', 'rate_limited', 1],
    ['a 403', { status: 403 }, 'sourceUnauthorized', 'unauthorized', 1],
    ['no JSON', { status: 200, body: '<html>' }, 'failed', 'bad_answer', 1],
    ['other JSON', { status: 200, body: '{"id":"three"}' }, 'failed', 'bad_answer', 1],
  ])('%s: %j ends with %s [%s] after %i calls', async (_, trouble, code, fault, calls) => {
    await using t = await setupAccount();
    const ended = await withTrouble(t, trouble, { API_TIMEOUT_SECONDS: '1' });
    expect([ended.code, faultOf(ended)]).toEqual([EXIT[code], fault]);
    expect(t.api.calls.map(({ path }) => path)).toEqual(Array(calls).fill('iam/users/me'));
    expect(ended.last?.message).toContain(`GET ${t.api.url}iam/users/me`);
    expect(await t.query(`SELECT to_regclass('users') AS there`)).toEqual([{ there: null }]);
  });

  it.each([
    ['an unknown name', () => NO_SUCH_NAME, 'nxdomain'],
    ['a closed port', async () => `http://127.0.0.1:${await freePort()}`, 'econnrefused'],
  ])('%s is reported as unreachable', async (_, addressOf, fault) => {
    await using t = await setupAccount();
    const ACCOUNT_API_URL = await addressOf();
    for (const settings of [{}, WITH_PASSWORD]) {
      const ended = await t.run('sync', { ...settings, ACCOUNT_API_URL });
      expect([ended.code, faultOf(ended)]).toEqual([EXIT.sourceUnreachable, fault]);
    }
  });

  it('of TLS is not retried', async () => {
    await using t = await setupAccount();
    const ended = await t.run('sync', { ACCOUNT_API_URL: t.api.url.replace('http:', 'https:') });
    expect([ended.code, faultOf(ended)]).toEqual([EXIT.sourceUnreachable, 'tls']);
    expect(ended.output).not.toContain('again in');
  });

  it.each<[string, unknown]>([
    ['another user', { id: 4, username: 'eve', warehouses: [] }],
    ['no warehouses', { id: 3, username: 'alice' }],
    [
      'a warehouse twice',
      {
        id: 3,
        username: 'a',
        warehouses: [
          { id: 1, name: 'a' },
          { id: 1, name: 'b' },
        ],
      },
    ],
    ['a warehouse without a name', { id: 3, username: 'a', warehouses: [{ id: 1 }] }],
    ['a text that no database keeps', { id: 3, username: 'a\u0000', warehouses: [] }],
  ])('leaves the data unchanged for %s in the list', async (_, body) => {
    await using t = await setupAccount();
    await t.run('sync');
    const before = [await t.warehouses(), await t.links()];
    t.api.trouble = (path) =>
      path.endsWith('/warehouses') ? { status: 200, body: JSON.stringify(body) } : undefined;
    for (const action of ['sync', 'delete']) {
      const ended = await t.run(action);
      expect([ended.code, faultOf(ended)]).toEqual([EXIT.failed, 'bad_answer']);
    }
    expect([await t.warehouses(), await t.links()]).toEqual(before);
  });

  it('that is transient does not fail the run', async () => {
    await using t = await setupAccount();
    t.api.trouble = (path, count) => (count <= 2 && path !== 'auth' ? { status: 503 } : undefined);
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    expect(t.api.count('iam/users/me')).toBe(3);
  });
});

it('a run stops waiting for the account API when it is terminated', async () => {
  await using t = await setupAccount();
  t.api.trouble = () => 'stall';
  const terminate = new AbortController();
  const running = t.run('sync', { API_TIMEOUT_SECONDS: '3600' }, terminate.signal);
  await expect.poll(() => t.api.calls.length).toBe(1);
  terminate.abort(new JobError('terminated', 'ended by SIGTERM'));
  expect((await running).code).toBe(EXIT.terminated);
});

it('no log, report or error of an account run contains a secret', async () => {
  await using t = await setupAccount();
  let said = '';
  const troubles: (Trouble | undefined)[] = [
    undefined,
    'drop',
    { status: 401, body: FIXED_TOKEN },
    { status: 200, body: `{"access_token": "${FIXED_TOKEN}", "id": "${API_PASSWORD}"` },
    { status: 200, body: `{"access_token": "${FIXED_TOKEN} x", "id": "${API_PASSWORD}", "expires_in": 1}` },
    { status: 500, body: API_PASSWORD },
  ];
  for (const trouble of troubles)
    for (const settings of [{}, WITH_PASSWORD])
      for (const where of ['auth', 'iam/users/me', 'iam/users/3/warehouses']) {
        t.api.trouble = (path) => (path === where ? trouble : undefined);
        said += (await t.run('sync --debug', settings)).output;
      }
  said += JSON.stringify(t.reports);
  expect(said).toContain('fetched a token');
  for (const secret of [FIXED_TOKEN, API_PASSWORD, 'granted-token']) expect(said).not.toContain(secret);
});
