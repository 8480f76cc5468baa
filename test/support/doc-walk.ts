/** Walks a page as a reader does: every `sh` block runs in order against a real `npm start`, with the output it promises. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { freePort } from '../../src/embedded/ports.ts';
import { type DocCommands, missingLine, readDocCommands } from './doc-commands.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** Commands that install everything or run all tests, and the file that runs them as typed. */
export const RUN_ELSEWHERE: Readonly<Record<string, string>> = {
  'npm ci': 'test/deploy/first-minute.image.test.ts',
  'npm ci && npm test': '.ci/run',
};
const INSTALL = 'npm ci && ';
const isStart = ({ code }: DocCommands) => code.endsWith('npm start');

/** Declares one test per block of the page, in order. */
export function walkPage(page: string): void {
  const checkout = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'syncrator-docs-')));
  let environment: NodeJS.ProcessEnv;
  let running: { child: ChildProcess; output: () => string } | undefined;
  let password = '';

  beforeAll(async () => {
    layOut(checkout);
    const port = String(await freePort());
    environment = {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      XDG_CONFIG_HOME: path.join(checkout, 'config'),
      PORT: port,
      SYNCRATOR_URL: `http://127.0.0.1:${port}`,
      NO_COLOR: '1',
      // The page is built once for all tests: building it here would disturb the tests that run beside this one.
      npm_config_ignore_scripts: 'true',
      npm_config_update_notifier: 'false',
    };
  });
  afterAll(async () => {
    await pressCtrlC();
    rmSync(checkout, { recursive: true, force: true });
  });

  for (const block of readDocCommands(readFileSync(path.join(ROOT, page), 'utf8')))
    test(`line ${block.line}: ${block.code.replaceAll('\n', '; ')}`, { timeout: 180_000 }, async () => {
      const elsewhere = RUN_ELSEWHERE[block.code];
      if (elsewhere !== undefined) return;
      const output = isStart(block) ? await start(block) : await run(block);
      expect(missingLine(block.expected, output), `is missing in:\n${output}`).toBeUndefined();
    });

  /** Runs in its own terminal; before a second start the page tells the reader to press Ctrl-C. */
  async function start({ code }: DocCommands): Promise<string> {
    await pressCtrlC();
    const typed = code.startsWith(INSTALL) ? code.slice(INSTALL.length) : code;
    const child = spawn('bash', ['-c', typed], { cwd: checkout, env: environment, detached: true });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    running = { child, output: () => output };
    const ended = once(child, 'exit').then(() => Promise.reject(new Error(`npm start ended:\n${output}`)));
    ended.catch(() => undefined);
    await Promise.race([
      vi.waitFor(() => expect(output).toContain('Ctrl-C stops everything'), { timeout: 100_000 }),
      ended,
    ]);
    password = /PASSWORD='([^'…]+)'/.exec(output)?.[1] ?? password;
    return output;
  }

  /** Standard input holds the password, which only a login reads. */
  async function run({ code, exit }: DocCommands): Promise<string> {
    const child = spawn('bash', ['-c', code], { cwd: checkout, env: environment });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stdin.end(`${password}\n`);
    const [exitCode] = (await once(child, 'close')) as [number | null];
    expect(exitCode, `${code}\n${output}`).toBe(exit);
    return output;
  }

  /** Every process of the terminal gets SIGINT. */
  async function pressCtrlC(): Promise<void> {
    const { child } = running ?? {};
    running = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    process.kill(-child.pid, 'SIGINT');
    await ended;
  }
}

/** A separate checkout with its own data folder and params files; all else is shared with this one. */
function layOut(folder: string): void {
  chmodSync(folder, 0o755); // programs of jobs run as other users if the tests run as root
  for (const name of readdirSync(ROOT))
    if (name === 'job_params') cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true });
    else if (!name.startsWith('.')) symlinkSync(path.join(ROOT, name), path.join(folder, name));
}
