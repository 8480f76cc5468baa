/** Runs `syncrator` as people do: as a process with its own home folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { expect } from 'vitest';
import { compileCache } from '../support/compile-cache.ts';
import { ADMIN_PASSWORD } from '../support/login.ts';

export const MAIN = path.resolve(import.meta.dirname, '../../src/cli/main.ts');

export type Ran = { readonly code: number | null; readonly stdout: string; readonly stderr: string };
export type Options = {
  /** undefined: stdin stays open for `type`. */
  input?: string | undefined;
  environment?: Record<string, string>;
  isTerminal?: boolean;
};

/** @param of.url read at each run; undefined without a server */
export function commandLine(of: { home: string; url: () => string | undefined }) {
  /** Starts it, to be observed and interrupted. */
  function begin(args: readonly string[], options: Options = {}) {
    const url = of.url();
    const words = [process.execPath, MAIN, ...args];
    // `script` gives it a terminal, and copies that to its own stdout.
    const [program = '', ...rest] = options.isTerminal
      ? ['script', '-qec', `stty cols 110 rows 40; exec ${words.join(' ')}`, '/dev/null']
      : words;
    const child = spawn(program, rest, {
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: of.home,
        XDG_CONFIG_HOME: of.home,
        ...compileCache(),
        ...(url === undefined ? {} : { SYNCRATOR_URL: url }),
        ...options.environment,
      },
      timeout: 50_000,
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
    child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
    const { input = '' } = options;
    if (!('input' in options) || options.input !== undefined) child.stdin.end(input);
    const closed = once(child, 'close');
    return {
      says: (words: string) => expect.poll(() => stdout + stderr, { timeout: 30_000 }).toContain(words),
      said: () => stdout + stderr,
      type: (keys: string) => child.stdin.write(keys),
      interrupt: () => child.kill('SIGINT'),
      async ended(): Promise<Ran> {
        await closed;
        return { code: child.exitCode, stdout, stderr };
      },
    };
  }
  const syncrator = (args: readonly string[], options?: Options) => begin(args, options).ended();
  return {
    begin,
    syncrator,
    login: () => syncrator(['login', '-u', 'admin'], { input: `${ADMIN_PASSWORD}\n` }),
  };
}
