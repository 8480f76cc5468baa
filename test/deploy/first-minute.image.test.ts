/** The two commands of README as typed, on foreign machines: in root's closed home, and as an ordinary user. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, linkSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readDataLock } from '../../src/embedded/data-lock.ts';
import { freePort } from '../../src/embedded/ports.ts';
import { endProcess, identify, isAlive } from '../../src/embedded/process-identity.ts';
import { temporalBinary } from '../../src/embedded/temporal-binary.ts';

const project = path.join(import.meta.dirname, '..', '..');
/** `nobody`: an ordinary user that every Linux has. */
const NOBODY = { uid: 65_534, gid: 65_534 };

type Person = { readonly home: string; readonly user: { uid: number; gid: number }; readonly PATH: string };

const running: ChildProcess[] = [];
let closed: string;
let open: string;
let temporal: string;

beforeAll(async () => {
  temporal = await temporalBinary();
  closed = mkdtempSync(path.join(os.homedir(), 'first-minute-'));
  open = mkdtempSync(path.join(os.tmpdir(), 'first-minute-'));
  chmodSync(closed, 0o700);
  chmodSync(open, 0o755);
});

afterAll(async () => {
  for (const child of running) {
    const left = child.pid === undefined ? undefined : identify(child.pid);
    if (left !== undefined) await endProcess('npm start', left, [['SIGTERM', 40_000]]);
  }
  for (const folder of [closed, open]) rmSync(folder, { recursive: true, force: true });
}, 180_000); // a gigabyte of small files

/** A shell of this user in the checkout, without our environment. */
function environmentOf({ home, PATH }: Person): NodeJS.ProcessEnv {
  return { HOME: home, PATH, TERM: 'dumb', npm_config_cache: path.join(home, '.npm') };
}

/** Starts, logs in, and ends by SIGTERM to npm: the whole first minute. */
async function firstMinute(person: Person, checkout: string): Promise<string> {
  const port = await freePort();
  const child = spawn('npm', ['start'], {
    ...person.user,
    cwd: checkout,
    env: { ...environmentOf(person), PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)));
  const over = () => (child.exitCode === null ? text : `${text}\nnpm ended with ${child.exitCode}`);
  await expect.poll(over, { timeout: 240_000 }).toMatch(/Ctrl-C stops|npm ended|cannot start/);
  expect(over()).toContain(`ready http://127.0.0.1:${port}\n`);
  const password = /PASSWORD='([^']+)'/.exec(text)?.[1] ?? '';
  const login = await fetch(`http://127.0.0.1:${port}/login`, {
    method: 'POST',
    body: new URLSearchParams({ username: 'admin', password }),
  });
  expect(login.status).toBe(200);
  const dataDir = path.join(checkout, '.data');
  const lock = readDataLock(dataDir);
  if (lock === undefined) throw new Error(`no lock in ${dataDir}`);
  child.kill('SIGTERM');
  await expect.poll(() => [lock, ...lock.parts].filter(isAlive), { timeout: 20_000 }).toEqual([]);
  return text;
}

describe.runIf(process.getuid?.() === 0)('npm ci && npm start', () => {
  const ours = process.env['PATH'] ?? '';
  const first = () => path.join(closed, 'syncrator');

  test('`npm ci && npm start` works as root in a home of mode 700', async () => {
    const root: Person = {
      home: closed,
      user: { uid: 0, gid: 0 },
      PATH: `${programs(closed)}:${systemPath(ours)}`,
    };
    execFileSync('git', ['clone', '--quiet', project, first()]);
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], {
      cwd: first(),
      env: {
        ...environmentOf(root),
        npm_config_cache: process.env['npm_config_cache'] ?? path.join(os.homedir(), '.npm'),
      },
      stdio: 'pipe',
    });
    // Only root can enter this home, so programs run as root, too, and the log says so.
    expect(await firstMinute(root, first())).toMatch(
      /steps run as: .*, with all its rights: other users cannot run programs here/,
    );
  }, 600_000);

  test('`npm ci && npm start` works as an ordinary user with a space and an umlaut in the path', async () => {
    const home = path.join(open, 'Jörg Müller');
    mkdirSync(home);
    const checkout = path.join(home, 'mein syncrator');
    moveTree(first(), checkout);
    rmSync(path.join(checkout, '.data'), { recursive: true });
    execFileSync('chown', ['-R', `${NOBODY.uid}:${NOBODY.gid}`, home]);
    const text = await firstMinute(
      { home, user: NOBODY, PATH: `${programs(open)}:${systemPath(ours)}` },
      checkout,
    );
    expect(text).toMatch(/steps run as: .*: the worker is not root/);
  }, 600_000);

  /** Temporal takes minutes to get: the machine has it already. */
  function programs(folder: string): string {
    const bin = path.join(folder, 'bin');
    mkdirSync(bin, { mode: 0o755 });
    const target = path.join(bin, 'temporal');
    try {
      linkSync(temporal, target);
    } catch {
      copyFileSync(temporal, target); // another file system
    }
    chmodSync(target, 0o755);
    return bin;
  }
});

/** Without the PATH entries of npm and vitest: Node 24 must come from `npm ci`. */
function systemPath(ours: string): string {
  return ours
    .split(path.delimiter)
    .filter((folder) => !folder.includes('node_modules') && !folder.includes('node-gyp-bin'))
    .join(path.delimiter);
}

function moveTree(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch {
    execFileSync('mv', [from, to]); // another file system
  }
}
