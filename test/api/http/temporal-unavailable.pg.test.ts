/** Postgres or Temporal away: which calls are answered, how soon, and that nothing is lost. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import net from 'node:net';
import { expect, inject, it } from 'vitest';
import { setup } from '../support.ts';

/** A TCP proxy that can hang (accept and answer nothing) or cut. */
async function proxyTo(target: { host: string; port: number }) {
  const pairs = new Set<{ near: net.Socket; far: net.Socket }>();
  let mode: 'on' | 'hang' | 'cut' = 'on';
  const server = net.createServer((near) => {
    if (mode === 'cut') {
      near.destroy();
      return;
    }
    const far = net.connect(target);
    const pair = { near, far };
    pairs.add(pair);
    near.on('data', (data) => mode === 'on' && far.write(data));
    far.on('data', (data) => mode === 'on' && near.write(data));
    const end = () => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on('close', end).on('error', end);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the proxy has no port');
  return {
    port: address.port,
    set: (to: typeof mode) => {
      mode = to;
      if (to === 'cut') for (const { near } of pairs) near.destroy();
    },
    [Symbol.asyncDispose]: async () => {
      for (const { near } of pairs) near.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function behindProxy(stack: AsyncDisposableStack) {
  const real = new URL(inject('postgresUrl'));
  const proxy = stack.use(await proxyTo({ host: real.hostname, port: Number(real.port) }));
  const api = await setup({
    through: (url) => {
      const changed = new URL(url);
      changed.host = `127.0.0.1:${proxy.port}`;
      return changed.href;
    },
  });
  return { proxy, api: stack.use(api) };
}

it.each(['hang', 'cut'] as const)(
  'calls are answered with 503 within two seconds when Postgres is away (%s)',
  async (how) => {
    await using stack = new AsyncDisposableStack();
    const { proxy, api } = await behindProxy(stack);
    expect((await api.call('GET', '/jobs')).status).toBe(200);
    proxy.set(how);
    const routes: [string, string][] = [
      ['GET', '/jobs'],
      ['GET', '/jobs/1'],
      ['POST', '/sync/alpha/dev'],
      ['DELETE', '/jobs/1'],
      ['GET', '/targets'],
      ['GET', '/schedules'],
      ['GET', '/health/ready'],
    ];
    await Promise.all(
      routes.map(async ([method, where]) => {
        const began = Date.now();
        const answer = await api.call(method, where);
        expect([where, answer.status, answer.body.code]).toEqual([where, 503, 'postgres_away']);
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
        // Its deadline is 2 s; without one it would not end. A busy machine is slower.
        expect(Date.now() - began).toBeLessThan(10_000);
      }),
    );
    expect((await api.call('GET', '/health/live')).status).toBe(200);
    expect((await api.call('GET', '/sync/alpha/dev')).status).toBe(200);
    proxy.set('on');
    await expect
      .poll(async () => (await api.call('POST', '/sync/beta/dev')).status, { timeout: 10_000 })
      .toBeLessThan(203);
  },
);

it('the api serves while Temporal is away, and says so', async () => {
  await using api = await setup({ temporal: '127.0.0.1:1' });
  const started = await api.call('POST', '/sync/alpha/dev');
  expect(started.status).toBe(202);
  expect((await api.call('GET', `/jobs/${started.body.job_id}`)).body.status).toBe('queued');
  const ready = await api.call('GET', '/health/ready');
  expect([ready.status, ready.body.status]).toEqual([200, 'degraded']);
  const { body } = await api.call('GET', '/schedules');
  expect([body.temporal, body.schedules[0].next]).toEqual(['unreachable', null]);
  const paused = await api.call('POST', '/schedules/qas.alpha.sync/pause');
  expect([paused.status, paused.body.code]).toEqual([503, 'temporal_away']);
  // The audit line is written before the call to Temporal; another reports that the call failed.
  const lines = await api.call('GET', '/audit?object=schedule');
  expect(lines.body.map((one: { verb: string; refused: string | null }) => [one.verb, one.refused])).toEqual([
    ['pause', 'temporal_away'],
    ['pause', null],
  ]);
  expect((await api.call('DELETE', `/jobs/${started.body.job_id}`)).status).toBe(200);
});
