/** Former faults of a run's environment, each reproduced: memory, a late sink, settings. */

import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { someRows } from '../support/fake-source.ts';
import { type Setup, setup } from '../support/setup.ts';
import { sourceFile } from '../support/source-file.ts';

const record = (id: string, at: string, name: string): string =>
  `{"id":"${id}","updated_at":"${at}","name":${name}}\n`;
const last = (t: Setup) => t.receiver.reports.at(-1);
const count = async (t: Setup): Promise<number> => Object.keys((await t.names()) ?? {}).length;

it.each<[string, number, (t: Setup) => Promise<number | null>]>([
  [
    'lines of 4.9 MB',
    40,
    async (t) => Number((await t.query<{ n: string }>('SELECT count(*) AS n FROM cities'))[0]?.n),
  ],
  ['a line of 30 MB', 1, async (t) => t.md5().then(() => null)],
])('%s is processed within the memory of a pod (A15)', { timeout: 120_000 }, async (_, many, look) => {
  const size = many === 1 ? 30_000_000 : 4_900_000;
  const file = sourceFile('');
  for (let at = 0; at < many; at += 1)
    appendFileSync(
      file.environment['SOURCE_FILE'] ?? '',
      record(`k${at + 10}`, '2026-11-01T00:00:00Z', `"${'a'.repeat(size)}"`),
    );
  await using t = await setup();
  const { child, ended } = t.spawn(['sync', '-n', '1000'], file.environment);
  let peakKiB = 0;
  const timer = setInterval(() => {
    // The kernel's own high-water mark: it also counts peaks between two samples.
    const status = existsSync(`/proc/${child.pid}/status`)
      ? readFileSync(`/proc/${child.pid}/status`, 'utf8')
      : '';
    peakKiB = Math.max(peakKiB, Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1] ?? 0));
  }, 20);
  const { code } = await ended;
  clearInterval(timer);
  expect(code).toBe(many === 1 ? EXIT.recordsRejected : EXIT.ok);
  expect(await look(t)).toBe(many === 1 ? null : many);
  expect(peakKiB).toBeGreaterThan(10_000);
  expect(peakKiB).toBeLessThan(512 * 1024);
});

it('a sink that becomes reachable later is waited for, and the job reports the wait (A23)', async () => {
  await using t = await setup(someRows(10));
  const real = new URL(t.sinkUrl);
  const sockets = new Set<Socket>();
  let refused = 0;
  const door = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    if ((refused += 1) <= 2) return socket.destroy();
    const to = connect(Number(real.port), real.hostname).on('error', () => {});
    sockets.add(to);
    socket.pipe(to).pipe(socket);
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', () => resolve()));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    door.close();
  });
  const behind = new URL(t.sinkUrl);
  behind.port = String((door.address() as AddressInfo).port);
  const { code, output } = await t.run('sync', { SINK_URL: behind.href });
  expect(code).toBe(EXIT.ok);
  expect(output).toContain('waiting for the sink: ');
  expect(refused).toBeGreaterThan(2);
  expect(last(t)?.waiting_for).toBeNull();
  expect(await count(t)).toBe(10);
});

it('a missing source names both settings and the place to set them (A36)', async () => {
  await using t = await setup();
  expect((await t.run('sync', { SOURCE_URL: '' })).code).toBe(EXIT.notConfigured);
  expect(last(t)?.message).toBe('SOURCE_URL (or SOURCE_FILE) is missing; set it in the environment');
  const path = join(mkdtempSync(join(tmpdir(), 'syncrator-recipe-')), 'dev-trial.env');
  onTestFinished(() => rmSync(dirname(path), { recursive: true }));
  writeFileSync(path, `SOURCE=ndjson\nSINK=postgres\nSINK_URL=${t.sinkUrl}\nSINK_TABLE=cities\n`, {
    mode: 0o600,
  });
  const ended = await t.run('sync', { SOURCE_URL: '', SYNCRATOR_SETTINGS_FILE: path });
  expect(ended.code).toBe(EXIT.notConfigured);
  expect(last(t)?.message).toContain(`set it in ${path}`);
});

it('a SINK_URL without a database changes no database (A37)', async () => {
  await using t = await setup(someRows(3));
  const url = new URL(t.sinkUrl);
  url.pathname = '/';
  expect((await t.run('sync', { SINK_URL: url.href })).code).toBe(EXIT.notConfigured);
  expect(last(t)?.message).toContain('SINK_URL names no database');
  expect(t.source.requests).toEqual([]);
});
