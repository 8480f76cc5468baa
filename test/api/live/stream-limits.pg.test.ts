/**
 * How many event streams may be open and for whom: a HEAD opens none, no caller takes them all, and permissions are
 * checked again.
 */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { createApp } from '../../../src/api/app.ts';
import type { StreamBounds } from '../../../src/api/context.ts';
import { signToken, TOKEN_SECONDS } from '../../../src/api/auth/tokens.ts';
import { appendLog } from '../../../src/db/jobs/logs.ts';
import { addServiceToken, revokeServiceToken } from '../../../src/db/access/service-tokens.ts';
import { addUser, changeUser } from '../../../src/db/access/users.ts';
import { unlimited } from '../../../src/domain/permission.ts';
import { makeServiceToken } from '../../../src/auth/service-token.ts';
import { openStream } from '../event-stream.ts';
import { type Api, claimed, setup, justNow } from '../support.ts';

const TEST = { principal: 'test' };

let api: Api;
let job: Awaited<ReturnType<typeof claimed>>;
/** Open streams, as the api counts them. */
let open: number;
let answered: number;
beforeAll(async () => {
  api = await setup();
  job = await claimed(api);
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(() => {
  open = 0;
  answered = 0;
});

/** The api with other limits. */
function bounded(streams: StreamBounds, publicReads = false): Api['app'] {
  const measures = {
    answered: () => {
      answered += 1;
    },
    eventSent: () => undefined,
    loggedIn: () => undefined,
    credentialRefused: () => undefined,
    streams: (count: number) => {
      open = count;
    },
  };
  const config = { ...api.deps.config, publicReads };
  return createApp({ ...api.deps, config, measures, streams });
}

async function served(app: Api['app']) {
  const server = createAdaptorServer({ fetch: app.fetch }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    server,
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      if ('closeAllConnections' in server) server.closeAllConnections();
      await closed;
    },
  };
}

async function tokenOf(username: string): Promise<string> {
  await addUser(api.db, { username, passwordHash: 'none', grant: unlimited('viewer') }, TEST);
  return await signToken(api.deps.config.secrets, { sub: username, authTime: justNow() });
}

const streamsOf = (id: number) => ['/events', `/jobs/${id}/events`, `/jobs/${id}/logs?follow`];

it('a HEAD of a stream gets its headers and opens nothing, over a real connection too', async () => {
  const app = bounded({ most: 2 });
  await using at = await served(app);
  for (const where of streamsOf(job.id))
    for (let n = 0; n < 3; n += 1) {
      const headers = { authorization: `Bearer ${api.token}` };
      const options = { method: 'HEAD', port: at.port, path: where, headers, agent: false };
      const [answer] = (await once(request(options).end(), 'response')) as [IncomingMessage];
      expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'text/event-stream']);
      answer.resume();
      await once(answer, 'end');
      expect(open).toBe(0);
    }
  await using stream = await openStream(api, '/events', { app });
  await stream.until('ready');
});

it('HEAD and OPTIONS of every route open nothing and never fail', async () => {
  const app = bounded({ most: 1 });
  const document = z
    .object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
    .parse(await (await app.request('/openapi.json')).json());
  const headers = { authorization: `Bearer ${api.token}` };
  for (const [path, methods] of Object.entries(document.paths)) {
    const where = path.replace('{id}', String(job.id)).replaceAll(/\{\w+\}/g, 'alpha');
    for (const query of where.endsWith('/logs') ? ['', '?follow', '?download'] : ['']) {
      const head = await app.request(where + query, { method: 'HEAD', headers });
      expect([where, await head.text()]).toEqual([where, '']);
      const isStream = where.endsWith('/events') || query === '?follow';
      const get = isStream ? undefined : await app.request(where, { headers });
      await get?.body?.cancel();
      expect([where, head.status]).toEqual([where, get?.status ?? 200]);
    }
    const options = await app.request(where, { method: 'OPTIONS', headers });
    expect([where, options.status]).toEqual([where, 405]);
    const allowed = options.headers.get('allow')?.split(', ') ?? [];
    expect(allowed).toEqual(expect.arrayContaining(Object.keys(methods).map((one) => one.toUpperCase())));
    expect([where, open]).toEqual([where, 0]);
  }
});

it('a caller at its limit is refused, and others still get their streams', async () => {
  const app = bounded({ most: 4, mostOfOne: 2 });
  const [ada, bob] = [await tokenOf('ada'), await tokenOf('bob')];
  await using stack = new AsyncDisposableStack();
  const openAs = async (token: string) => stack.use(await openStream(api, '/events', { app, token }));
  const refusal = async (token: string) => {
    const answer = await app.request('/events', { headers: { authorization: `Bearer ${token}` } });
    expect(answer.headers.get('retry-after')).toBe('10');
    const { code } = z.object({ code: z.string() }).parse(await answer.json());
    return [answer.status, code];
  };
  for (let n = 0; n < 2; n += 1) await openAs(ada);
  expect(await refusal(ada)).toEqual([429, 'too_many_streams']);
  for (let n = 0; n < 2; n += 1) expect((await openAs(bob)).status).toBe(200);
  expect(await refusal(api.token)).toEqual([503, 'too_many_streams']);
});

it('with public reads, each address has a limit of streams, and each user a limit of their own beside it', async () => {
  const app = bounded({ most: 4, mostOfAddress: 2 }, true);
  await using stack = new AsyncDisposableStack();
  for (let n = 0; n < 2; n += 1) stack.use(await openStream(api, '/events', { app, token: null }));
  expect((await app.request('/events')).status).toBe(429);
});

it('a reader that never reads loses its slot, and its connection is cut', async () => {
  const { ref } = await job.begin();
  const text = `${'x'.repeat(1023)}\n`.repeat(1024);
  for (let n = 0; n < 24; n += 1) {
    const offset = n * text.length;
    const next = { offset: offset + text.length, mark: null };
    const chunk = { offset, bytes: Buffer.from(text), next };
    await appendLog(api.db, ref, chunk, { head: 2 ** 28, tail: 2 ** 28 });
  }
  await using at = await served(bounded({ writeMs: 300 }));
  const socket = net.connect(at.port, '127.0.0.1');
  socket.pause();
  await once(socket, 'connect');
  const lines = ['Host: x', `Authorization: Bearer ${api.token}`, '', ''].join('\r\n');
  socket.write(`GET /jobs/${job.id}/logs?follow HTTP/1.1\r\n${lines}`);
  await expect.poll(() => open).toBe(1);
  await expect.poll(() => open, { timeout: 10_000 }).toBe(0);
  const connections = () => new Promise((resolve) => at.server.getConnections((_, count) => resolve(count)));
  await expect.poll(connections, { timeout: 5_000 }).toBe(0);
  socket.destroy();
});

it('a client that disconnects before its answer loses its slot', async () => {
  await using at = await served(bounded({}));
  for (const where of streamsOf(job.id)) {
    const socket = net.connect(at.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.end(`GET ${where} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${api.token}\r\n\r\n`);
    socket.destroySoon();
    await once(socket, 'close');
  }
  await expect.poll(() => answered, { timeout: 5_000 }).toBe(3);
  await expect.poll(() => open, { timeout: 5_000 }).toBe(0);
});

it.each(['/events', 'events of a job', 'its log'])(
  'a stream (%s) ends soon after its caller loses the right to read, and says why',
  async (which) => {
    const where = streamsOf(job.id)[['/events', 'events of a job', 'its log'].indexOf(which)] ?? '';
    const app = bounded({ lookAgainMs: 50 });
    const username = `eve-${which.replaceAll(' ', '-').replaceAll('/', '')}`;
    const user = await tokenOf(username);
    const service = makeServiceToken();
    const grant = unlimited('viewer');
    await addServiceToken(api.db, { ...service, name: username, grant, seconds: 3_600 }, TEST);
    // First, since the login is valid for two seconds more, and a busy machine is slow.
    const made = new Date(Date.now() - (TOKEN_SECONDS - 2) * 1000);
    const claims = { sub: 'admin', authTime: justNow() };
    const old = await signToken(api.deps.config.secrets, claims, made);
    await using ofOld = await openStream(api, where, { app, token: old });
    await using ofUser = await openStream(api, where, { app, token: user });
    await using ofService = await openStream(api, where, { app, token: service.token });
    await using ofAdmin = await openStream(api, where, { app });
    for (const stream of [ofUser, ofService, ofOld, ofAdmin]) expect(stream.status).toBe(200);
    await changeUser(api.db, username, { disabled: true }, TEST);
    await revokeServiceToken(api.db, username, TEST);
    await ofUser.until('error', ({ code }) => code === 'user_disabled');
    await ofService.until('error', ({ code }) => code === 'token_revoked');
    await ofOld.until('error', ({ code }) => code === 'unauthorized');
    for (const stream of [ofUser, ofService, ofOld]) await expect.poll(stream.isOver).toBe(true);
    expect(ofAdmin.isOver()).toBe(false);
  },
);

it('a dry run is refused to a caller who has lost access', async () => {
  const token = await tokenOf('mallory');
  const dryRun = () => api.call('GET', '/sync/alpha/dev', { token });
  expect((await dryRun()).status).toBe(200);
  await changeUser(api.db, 'mallory', { disabled: true }, TEST);
  expect(await dryRun()).toMatchObject({ status: 401, body: { code: 'user_disabled' } });
});
