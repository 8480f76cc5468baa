/** Completion as the shells request it: the words so far, answered with the possible next ones. */
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../src/embedded/ports.ts';
import { paramsFile } from '../support/params-files.ts';
import { params, startSystem, type System } from '../support/system.ts';
import { commandLine } from './support.ts';

let system: System;
const home = mkdtempSync(path.join(os.tmpdir(), 'syncrator-completion-'));
const { syncrator, login } = commandLine({ home, url: () => system.apiUrl });

beforeAll(async () => {
  system = await startSystem({
    params: [
      params('quick', 'sync', '--mute'),
      params('quick', 'delta', '--mute', 'SCHEDULE=0 3 1 1 *\nTIMEZONE=Europe/Brussels\n'),
      paramsFile({ target: 'quick', action: 'sync', env: 'qas' }),
      params('long', 'sync', '--mute --seconds 600'),
    ],
  });
  await Promise.all([system.startApi(), system.startWorker()]);
  await login();
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

/** The suggestions with their descriptions. */
async function after(words: readonly string[], environment: Record<string, string> = {}) {
  const { code, stdout, stderr } = await syncrator(['complete', '--', ...words], { environment });
  expect([code, stderr]).toEqual([0, '']);
  const lines = stdout.split('\n').slice(0, -1);
  return Object.fromEntries(lines.map((line) => line.split('\t'))) as Record<string, string>;
}

/** @returns the server's address */
async function listen(server: http.Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('commands, options and their fixed values are completed', async () => {
  expect(Object.keys(await after(['sch']))).toEqual(['schedules']);
  expect(Object.keys(await after(['schedules', '']))).toEqual(
    expect.arrayContaining(['list', 'show', 'run', 'pause', 'resume']),
  );
  expect(Object.keys(await after(['jobs', '--st']))).toEqual(['--status']);
  expect(Object.keys(await after(['jobs', 'list', '--status', 'f']))).toEqual(['failed']);
  expect(Object.keys(await after(['targets', '--output', '']))).toEqual(['table', 'json', 'yaml']);
  expect(Object.keys(await after(['complete', '']))).toEqual(['bash', 'zsh', 'fish', 'powershell']);
});

test('targets and environments with the action are completed', async () => {
  expect(await after(['sync', ''])).toEqual({ long: 'dev', quick: 'dev, qas' });
  expect(await after(['delta', ''])).toEqual({ quick: 'dev' });
  expect(await after(['sync', 'quick', ''])).toEqual({ dev: 'sync', qas: 'sync' });
  expect(await after(['rollback', 'quick', 'd'])).toEqual({ dev: 'delta, sync' });
  expect(await after(['sink', 'take-over', 'quick', ''])).toEqual({ dev: 'delta, sync', qas: 'sync' });
  expect(await after(['jobs', '--target', 'q'])).toEqual({ quick: 'dev, qas' });
  expect(Object.keys(await after(['target', 'check', 'q']))).toEqual(['quick']);
  expect(Object.keys(await after(['jobs', 'list', '--env', '']))).toEqual(['dev', 'qas']);
});

test('schedules are completed, and jobs: all, or those that can be cancelled', async () => {
  expect(await after(['schedules', 'pause', ''])).toEqual({
    'dev.quick.delta': '0 3 1 1 * (Europe/Brussels)',
  });
  expect((await syncrator(['sync', 'quick', 'dev', '--wait'])).code).toBe(0);
  expect((await syncrator(['sync', 'long', 'dev', '--detach'])).code).toBe(0);
  expect(Object.keys(await after(['jobs', 'show', '']))).toEqual(['1', '2']);
  expect(await after(['rollback', 'quick', 'dev', '--before', ''])).toEqual({
    '1': 'completed: sync of quick in dev',
  });
  expect(await after(['jobs', 'cancel', ''])).toEqual({
    '2': expect.stringContaining(': sync of long in dev'),
  });
});

test('a server that is down, refuses the login or does not answer soon leads to no suggestions', async () => {
  const away = { SYNCRATOR_URL: `http://127.0.0.1:${await freePort()}` };
  expect(await after(['sync', ''], away)).toEqual({});
  expect(await after(['sync', ''], { SYNCRATOR_TOKEN: 'wrong' })).toEqual({});
  const gaveUpAfter = Promise.withResolvers<number>();
  const silent = http.createServer((_, response) => {
    const asked = performance.now();
    response.once('close', () => gaveUpAfter.resolve(performance.now() - asked));
  });
  const url = await listen(silent);
  expect(await after(['--url', url, 'sync', ''])).toEqual({});
  // It waits a second; the start of its process depends on the machine.
  expect(await gaveUpAfter.promise).toBeLessThan(10_000);
  silent.closeAllConnections();
  silent.close();
});

test('a server cannot make the shell run a suggestion, nor write to the terminal', async () => {
  const evil = http.createServer((request, response) => {
    const schedule = { id: 'dev.avo.sync', schedule: '0 3\n* * *\u001b[2J', timezone: 'a\tb' };
    if (request.url?.startsWith('/schedules')) return response.end(JSON.stringify({ schedules: [schedule] }));
    const actions = [{ action: 'sync', path: '/sync/$(id)/dev', schedule: null }];
    return response.end(JSON.stringify([{ name: '`id`', environments: [{ env: 'dev', actions }] }]));
  });
  const url = await listen(evil);
  expect(await after(['--url', url, 'sync', ''])).toEqual({});
  expect(await after(['--url', url, 'targets', ''])).toEqual({});
  expect(await after(['--url', url, 'schedules', 'show', ''])).toEqual({
    'dev.avo.sync': '0 3 * * * [2J (a b)',
  });
  evil.close();
});

test.each(['bash', 'zsh', 'fish', 'powershell'])(
  '`complete` has a script for %s, and none for an unknown shell',
  async (shell) => {
    const { code, stdout } = await syncrator(['complete', shell]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/syncrator complete '?--/)]);
    const other = await syncrator(['complete', `${shell}2`]);
    expect([other.code, other.stdout]).toEqual([1, '']);
    expect(other.stderr).toContain('bash, zsh, fish, powershell');
  },
);
