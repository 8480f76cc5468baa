/**
 * Wrong passwords and secrets over real connections: which callers must wait, which need not, and what the audit
 * records.
 */
import { once } from 'node:events';
import { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../../src/api/app.ts';
import { hashPassword } from '../../../src/api/auth/passwords.ts';
import { addUser } from '../../../src/db/access/users.ts';
import { unlimited } from '../../../src/domain/permission.ts';
import { createApiMetrics } from '../../../src/metrics/api-metrics.ts';
import { type Api, claimed, PASSWORD, setup } from '../support.ts';

const HOOK_SECRET = 'a secret of the hook';
const held = new AsyncDisposableStack();
let api: Api;
/** An api with 127.0.0.1 as a trusted proxy, and one without. */
let behind: Served;
let open: Served;
beforeAll(async () => {
  api = held.use(
    await setup({
      env: { TRUSTED_PROXIES: '127.0.0.1', GITLAB_HOOK_SECRET: HOOK_SECRET, ITEM_BANK: 'alpha/dev' },
    }),
  );
  behind = held.use(await serve(api));
  open = held.use(await serve(held.use(await setup())));
});
afterAll(() => held.disposeAsync());

type Served = AsyncDisposable & {
  readonly api: Api;
  readonly url: string;
  post(
    where: string,
    of: { from?: string; cookie?: string; headers?: object; body?: unknown },
  ): Promise<Response>;
  metrics(): Promise<string>;
};

async function serve(of: Api): Promise<Served> {
  const measures = createApiMetrics(of.deps);
  const app = createApp({ ...of.deps, measures });
  const server = createAdaptorServer({ fetch: app.fetch }).listen(0, '127.0.0.1');
  if (!(server instanceof Server)) throw new Error('the adaptor made no HTTP/1 server');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    api: of,
    url: `http://127.0.0.1:${port}`,
    post: async (where, { from, cookie, headers = {}, body }) =>
      await fetch(`http://127.0.0.1:${port}${where}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(from === undefined ? {} : { 'x-forwarded-for': from }),
          ...(cookie === undefined ? {} : { cookie }),
          ...headers,
        },
        body: JSON.stringify(body ?? {}),
      }),
    metrics: () => measures.scrape(),
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

const login = (
  of: Served,
  from: string,
  more: { username?: string; password?: string; cookie?: string } = {},
) => {
  const { username = 'admin', password = PASSWORD, cookie } = more;
  return of.post('/login', {
    from,
    body: { username, password },
    ...(cookie === undefined ? {} : { cookie }),
  });
};
const statuses = async (answers: readonly Promise<Response>[]) => {
  const told = new Map<number, number>();
  for (const { status } of await Promise.all(answers)) told.set(status, (told.get(status) ?? 0) + 1);
  return Object.fromEntries(told);
};
/** Takes 25 answers at once; on a busy machine the first delay, of a second, may be over before the last ones come. */
const expectTwenty = (told: Record<string, number>) => {
  expect((told[401] ?? 0) + (told[429] ?? 0)).toBe(25);
  expect([20, 21, 22]).toContain(told[401]);
};
const countIn = (metrics: string, line: string) =>
  Number(
    metrics
      .split('\n')
      .find((one) => one.startsWith(line))
      ?.split(' ')
      .at(-1),
  );

let from = 0;
afterEach(skipLines);
async function skipLines() {
  from =
    (
      await api.db
        .selectFrom('audit')
        .select((eb) => eb.fn.max('id').as('id'))
        .executeTakeFirst()
    )?.id ?? 0;
}
const lines = async (of: Api = api) =>
  await of.db
    .selectFrom('audit')
    .selectAll()
    .where('id', '>', of === api ? from : 0)
    .orderBy('id')
    .execute();

describe('wrong passwords', () => {
  it('wrong passwords from many addresses lock out no user whose address or browser has logged in before', async () => {
    // Ada's own user, since other tests log in as admin from anywhere.
    const carol = { username: 'carol' };
    const passwordHash = await hashPassword(PASSWORD);
    await addUser(api.db, { ...carol, passwordHash, grant: unlimited('viewer') }, { principal: 'test' });
    const first = await login(behind, '198.51.100.7', carol);
    expect(first.status).toBe(200);
    const cookie = first.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(
      /^syncrator_device=[^;]+; Max-Age=7776000; Path=\/login; HttpOnly; SameSite=Strict$/,
    );
    // Six at a time: the gate of a busy machine might turn more away.
    const some = async (at: number) =>
      await statuses(
        Array.from({ length: 6 }, (_, i) => {
          const own = `203.0.113.${at + i}`;
          return login(behind, `${own}, 10.0.0.1, ${own}`, { ...carol, password: 'x' });
        }),
      );
    for (let at = 0; at < 60; at += 6) expect(await some(at)).toEqual({ 401: 6 });
    // The first delay may be over by now.
    await expect.poll(() => some(60)).toEqual({ 429: 6 });
    expect((await login(behind, '198.51.100.7', carol)).status).toBe(200);
    const elsewhere = { ...carol, cookie: cookie.split(';')[0] ?? '' };
    expect((await login(behind, '192.0.2.99', elsewhere)).status).toBe(200);
    const stranger = async () => await login(behind, '192.0.2.98', { ...carol, password: 'x' });
    let last = await stranger();
    // Each attempt that a delay lets through makes the next delay longer.
    await expect.poll(async () => (last = await stranger()).status).toBe(429);
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await last.json()).toMatchObject({ code: 'too_many_tries' });
  });

  it('wrong passwords from one address wait longer and longer; other addresses and other users do not wait', async () => {
    const at = (i: number) => `2001:db8:7:7::${i + 1}`; // one network
    const told = await statuses(
      Array.from({ length: 25 }, (_, i) => login(behind, at(i), { username: 'eve', password: 'x' })),
    );
    expectTwenty(told);
    expect((await login(behind, '2001:db8:7:8::1', { username: 'eve', password: 'x' })).status).toBe(401);
    expect((await login(behind, at(0), { username: 'bob', password: 'x' })).status).toBe(401);
  });

  it('without a trusted proxy, wrong passwords count for the socket’s address', async () => {
    const wrong = { username: 'eve', password: 'x' };
    const told = await statuses(Array.from({ length: 25 }, (_, i) => login(open, `203.0.113.${i}`, wrong)));
    expectTwenty(told);
    expect((await lines(open.api)).at(-1)).toMatchObject({ address: '127.0.0.1' });
  });

  it('wrong and right passwords are audited with the address, and counted in the metrics', async () => {
    // Not the user who must wait by now.
    const username = 'ada';
    const ada = { username, passwordHash: await hashPassword(PASSWORD), grant: unlimited('viewer') };
    await addUser(api.db, ada, { principal: 'test' });
    await skipLines();
    const before = await behind.metrics();
    expect((await login(behind, '198.51.100.20', { username })).status).toBe(200);
    expect((await login(behind, '198.51.100.21', { username, password: 'wrong' })).status).toBe(401);
    const typed = 'my secret pass phrase';
    expect((await login(behind, '198.51.100.22', { username: typed, password: 'x' })).status).toBe(401);
    const told = await lines();
    const common = { verb: 'login', reason: null };
    expect(told).toMatchObject([
      { ...common, principal: username, object: 'user ada', refused: null, address: '198.51.100.20' },
      {
        ...common,
        principal: 'nobody known',
        object: 'user ada',
        refused: 'wrong_credentials',
        address: '198.51.100.21',
      },
      // The name may be a password in the wrong field.
      { ...common, object: 'user my …', refused: 'wrong_credentials', address: '198.51.100.22' },
    ]);
    const after = await behind.metrics();
    const more = (outcome: string) => {
      const line = `syncrator_logins_total{outcome="${outcome}"}`;
      return countIn(after, line) - countIn(before, line);
    };
    expect([more('good'), more('bad'), more('delayed')]).toEqual([1, 2, 0]);
  });

  it('the audit of wrong passwords has a budget per network', async () => {
    for (let i = 0; i < 70; i++)
      await login(behind, '198.51.100.30', { username: `name${i}`, password: 'x' }).then((answer) =>
        answer.text(),
      );
    expect(await lines()).toHaveLength(60);
  });
});

describe('a wrong secret of a hook', () => {
  const hook = (secret: string, address: string) =>
    behind.post('/hooks/gitlab', {
      from: address,
      headers: { 'x-gitlab-token': secret },
      body: { event_name: 'project_destroy' },
    });
  it('a wrong secret is delayed, audited and counted, and does not delay the right one', async () => {
    const before = countIn(await behind.metrics(), 'syncrator_refused_credentials_total{kind="hook_secret"}');
    const told = await statuses(Array.from({ length: 100 }, () => hook('wrong', '198.51.100.40')));
    expect(told).toEqual({ 401: 20, 429: 80 });
    expect((await hook(HOOK_SECRET, '198.51.100.40')).status).toBe(202);
    expect((await hook('wrong', '198.51.100.41')).status).toBe(401);
    const written = await lines();
    expect(written).toHaveLength(61);
    expect(written[0]).toMatchObject({
      principal: 'nobody known',
      verb: 'want',
      object: '/hooks/gitlab',
      refused: 'wrong_hook_secret',
      address: '198.51.100.40',
    });
    const after = countIn(await behind.metrics(), 'syncrator_refused_credentials_total{kind="hook_secret"}');
    expect(after - before).toBe(101);
  });
});

it('a report with the token of another job is audited and counted', async () => {
  const job = await claimed(api);
  const { token } = await job.begin();
  await api.db.updateTable('jobs').set({ uid: crypto.randomUUID() }).where('id', '=', job.id).execute();
  const before = countIn(await behind.metrics(), 'syncrator_refused_credentials_total{kind="report_token"}');
  for (const [bearer, status] of [
    [token, 403],
    ['nonsense', 401],
  ] as const) {
    const answer = await fetch(`${behind.url}/jobs/${job.id}/report`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      body: '{"seq":1,"phase":"x"}',
    });
    expect(answer.status).toBe(status);
  }
  expect((await lines()).slice(-2)).toMatchObject([
    { principal: 'nobody known', verb: 'report', object: `job ${job.id}`, refused: 'other_token' },
    { principal: 'nobody known', verb: 'report', object: `job ${job.id}`, refused: 'unauthorized' },
  ]);
  const after = countIn(await behind.metrics(), 'syncrator_refused_credentials_total{kind="report_token"}');
  expect(after - before).toBe(2);
});
