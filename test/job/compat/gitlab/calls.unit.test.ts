/** How long the program waits for an unreachable GitLab, what it reports meanwhile, and how the run ends. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Calls, createCalls } from '../../../../src/job/compat/gitlab/calls.ts';

async function listen(answer: RequestListener, port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer(answer).listen(port, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

/** A port without a listener. */
async function freePort(): Promise<number> {
  const { server, port } = await listen(() => {});
  server.close();
  await once(server, 'close');
  return port;
}

function callsOf(port: number, more: { patienceMs?: number; timeoutMs?: number } = {}) {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const waits: (string | null)[] = [];
  const settings = { url: `http://127.0.0.1:${port}`, token: 'glpat', timeoutMs: more.timeoutMs ?? 1_000 };
  const calls = createCalls(settings, {
    stop: stop.signal,
    onWait: (forWhat) => void waits.push(forWhat),
    ...(more.patienceMs === undefined ? {} : { patienceMs: more.patienceMs }),
  });
  const get = (): Promise<{ text: string }> =>
    calls.retried(() => calls.once({ what: 'item', path: '/item' }));
  return { calls, get, waits, stop };
}

const isProbe = (path: string | undefined): boolean => path === '/api/v4/version';

describe('an unreachable GitLab', () => {
  it('is waited for and reported, and read once it is available', async () => {
    const port = await freePort();
    const { get, waits } = callsOf(port);
    const answered = get();
    // Reported from the third try on; the pause before it is a second.
    await expect.poll(() => waits.length, { timeout: 20_000 }).toBeGreaterThan(0);
    expect(waits[0]).toMatch(/^GitLab: item: .*ECONNREFUSED/);
    await listen((_, response) => response.end('there'), port);
    expect(await answered).toMatchObject({ text: 'there' });
    expect(waits.at(-1)).toBeNull();
  });

  it('ends the run as unreachable when the patience is over', { timeout: 30_000 }, async () => {
    const { get } = callsOf(await freePort(), { patienceMs: 1 });
    const fault = await get().catch((error: unknown) => error);
    expect(fault).toMatchObject({ kind: 'unreachable', endsRun: true });
    const end = (fault as { asJobError(): Error }).asJobError();
    expect(end).toMatchObject({ code: 'sourceUnreachable' });
    expect(end.message).toMatch(/ECONNREFUSED.* \[econnrefused\]$/);
  });

  it('behind a proxy that still answers also ends the run', async () => {
    await Promise.all([502, 503, 504].map(behindProxy));
  });

  async function behindProxy(status: number): Promise<void> {
    const { port } = await listen((_, response) => response.writeHead(status).end());
    const fault = await callsOf(port, { patienceMs: 1 })
      .get()
      .catch((error: unknown) => error);
    expect(fault).toMatchObject({ message: `item: answered ${status}`, endsRun: true });
    expect((fault as { asJobError(): Error }).asJobError()).toMatchObject({ code: 'sourceUnreachable' });
  }

  it('that never answers ends the run with a time-out', { timeout: 30_000 }, async () => {
    const { port } = await listen(() => {});
    const fault = await callsOf(port, { patienceMs: 1, timeoutMs: 50 })
      .get()
      .catch((error: unknown) => error);
    expect(fault).toMatchObject({ kind: 'timeout', endsRun: true });
  });

  it('stops the wait at once when the run is stopped', async () => {
    const { get, waits, stop } = callsOf(await freePort());
    const answered = get();
    await expect.poll(() => waits.length, { timeout: 20_000 }).toBeGreaterThan(0);
    stop.abort(new Error('ended by SIGTERM'));
    await expect(answered).rejects.toThrow('ended by SIGTERM');
  });
});

it.each([
  ['breaks', (response: Parameters<RequestListener>[1]) => response.destroy()],
  ['answers 503', (response: Parameters<RequestListener>[1]) => response.writeHead(503).end()],
])('a call that always %s, while others succeed, fails alone after five attempts', async (_, how) => {
  let tries = 0;
  const { port } = await listen((request, response) => {
    if (isProbe(request.url)) return response.writeHead(401).end();
    tries += 1;
    how(response);
    return response;
  });
  await expect(callsOf(port).get()).rejects.toMatchObject({ endsRun: false });
  expect(tries).toBe(5);
});

describe('a wait that GitLab asks for', () => {
  const limited = (seconds: string, status = 429): RequestListener => {
    let asked = 0;
    return (_, response) =>
      (asked += 1) === 1
        ? response.writeHead(status, { 'retry-after': seconds }).end()
        : response.end('there');
  };

  it('is respected and reported', async () => {
    const { port } = await listen(limited('1'));
    const { get, waits } = callsOf(port);
    expect(await get()).toMatchObject({ text: 'there' });
    expect(waits).toEqual(['GitLab: item: answered 429', null]);
  });

  it.each([
    [429, true, '[rate_limited]'],
    [503, false, '[http_error]'],
  ])('is refused above five minutes after a %i', async (status, endsRun, word) => {
    const { port } = await listen(limited('301', status));
    const fault = await callsOf(port)
      .get()
      .catch((error: unknown) => error);
    expect(fault).toMatchObject({
      endsRun,
      message: `item: answered ${status} and asks for a wait of 301 s; the limit is 300 s`,
    });
    expect((fault as { asJobError(): Error }).asJobError().message).toContain(word);
  });

  it('is respected up to five minutes', async () => {
    const { port } = await listen(limited('300'));
    const { get, waits, stop } = callsOf(port);
    const answered = get();
    await expect.poll(() => waits).toEqual(['GitLab: item: answered 429']);
    stop.abort(new Error('stopped'));
    await expect(answered).rejects.toThrow('stopped');
  });
});

it('concurrent waits are reported as over only once all have ended', async () => {
  const { port } = await listen((_, response) => response.writeHead(429, { 'retry-after': '1' }).end());
  const { calls, waits, stop } = callsOf(port);
  const all = ['a', 'b', 'c'].map((what) => tried(calls, what));
  await expect.poll(() => waits.filter((wait) => wait !== null).length).toBeGreaterThanOrEqual(3);
  stop.abort(new Error('stopped'));
  await Promise.all(all);
  expect(waits.at(-1)).toBeNull();
});

function tried(calls: Calls, what: string): Promise<unknown> {
  return calls.retried(() => calls.once({ what, path: `/${what}` })).catch((error: unknown) => error);
}
