/** Runs buildah with a separate store, so that other images stay untouched; each call has a deadline. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { cacheDir } from '../../src/embedded/temporal-binary.ts';

const DEADLINE_MS = 120_000;

/** Folder with our images and their layers, shared by all checkouts. */
function imageCache(): string {
  return path.join(cacheDir(), 'image');
}

/**
 * Runs a command and returns its output.
 * @throws Error with its last line
 */
export async function buildah(...args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('buildah', [...store(), ...args], {
      timeout: DEADLINE_MS,
      maxBuffer: 16 * 1024 * 1024,
    });
    return stdout.trim();
  } catch (cause) {
    throw new Error(`buildah ${args[0] ?? ''}: ${lastLine((cause as { stderr?: string }).stderr)}`, {
      cause,
    });
  }
}

/**
 * Runs a long command and passes on its lines as they come.
 * @throws Error with its last line
 */
export async function buildahLong(
  args: readonly string[],
  of: { onLine: (line: string) => void; deadlineMs: number; cwd: string; signal?: AbortSignal | undefined },
): Promise<void> {
  const child = spawn('buildah', [...store(), ...args], {
    cwd: of.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: of.deadlineMs,
    ...(of.signal === undefined ? {} : { signal: of.signal }),
  });
  let last = '';
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => {
      if (line.trim() === '') return;
      last = line;
      of.onLine(line);
    });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (code !== 0) throw new Error(`buildah ${args[0] ?? ''} ended with ${code ?? signal ?? ''}: ${last}`);
}

function store(): string[] {
  const folder = imageCache();
  return [
    `--root=${path.join(folder, 'storage')}`,
    `--runroot=${path.join(folder, 'run')}`,
    '--storage-driver=overlay',
  ];
}

function lastLine(text: string | undefined): string {
  return (text ?? '').trim().split('\n').at(-1) ?? '';
}
