/** The guard of a server's files ends that server, and no later process with the same pid. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { guardFolder } from '../../src/embedded/folder-guard.ts';
import { identify, isAlive } from '../../src/embedded/process-identity.ts';

let folder: string;
let file: string;
const undo: Array<() => void> = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator guard-'));
  file = path.join(folder, 'there');
  writeFileSync(file, '');
});

afterEach(() => {
  for (const one of undo.splice(0)) one();
  rmSync(folder, { recursive: true });
});

function startServer() {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  undo.push(() => child.kill('SIGKILL'));
  const server = child.pid === undefined ? undefined : identify(child.pid);
  if (server === undefined) throw new Error('no process was started');
  return { server, end: () => child.kill('SIGKILL') };
}

function guards(): string[] {
  return readdirSync('/proc').filter(
    (pid) => /^\d+$/.test(pid) && commandLine(pid).includes(`guard of ${folder}\0`),
  );
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // the process is gone
  }
}

test('the guard ends the server when its file is deleted, and then itself', async () => {
  const { server } = startServer();
  guardFolder({ name: folder, server, file, signal: 'SIGKILL' });
  await expect.poll(guards, { timeout: 10_000 }).toHaveLength(1);
  expect(isAlive(server)).toBe(true);
  rmSync(file);
  await expect.poll(() => isAlive(server), { timeout: 10_000 }).toBe(false);
  await expect.poll(guards, { timeout: 10_000 }).toEqual([]);
});

test('the guard ends when the server does', async () => {
  const { server, end } = startServer();
  guardFolder({ name: folder, server, file, signal: 'SIGKILL' });
  await expect.poll(guards, { timeout: 10_000 }).toHaveLength(1);
  end();
  await expect.poll(guards, { timeout: 10_000 }).toEqual([]);
});

test('the guard spares another process with the pid of a dead server', async () => {
  const { server } = startServer();
  guardFolder({
    name: folder,
    server: { ...server, startTime: String(Number(server.startTime) - 1) },
    file: `${file}, never`,
    signal: 'SIGKILL',
  });
  // A guard of a live server acts within 2 s: this one has checked by then, and ended.
  const { server: witness } = startServer();
  guardFolder({ name: 'a witness', server: witness, file: `${file}, never`, signal: 'SIGKILL' });
  await expect.poll(() => isAlive(witness), { timeout: 10_000 }).toBe(false);
  await expect.poll(guards, { timeout: 10_000 }).toEqual([]);
  expect(isAlive(server)).toBe(true);
});
