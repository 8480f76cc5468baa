/** A predecessor's user at the terminal: bash runs the documented commands and returns their answers. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export type Typed = { readonly status: number; readonly text: string; readonly body: unknown };

const run = promisify(execFile);
// Quiet, with a time limit, and the status on its own line after the body.
const CURL = `curl() { command curl -sS -m 40 -w '\\n%{http_code}' "$@"; }`;

/**
 * @param variables such as $URL and $TOKEN in the commands; read at each command
 * @returns a function that runs one command line whose last program is curl; `body` is the parsed JSON, or
 * undefined
 */
export function userShell(
  variables: () => Readonly<Record<string, string>>,
): (command: string) => Promise<Typed> {
  return async (command) => {
    const { stdout } = await run('bash', ['-c', `${CURL}\n${command}`], {
      env: { PATH: process.env['PATH'] ?? '', ...variables() },
      timeout: 60_000,
      maxBuffer: 16 * 1024 * 1024,
    });
    const cut = stdout.lastIndexOf('\n');
    const text = stdout.slice(0, cut);
    return { status: Number(stdout.slice(cut + 1)), text, body: parsed(text) };
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
