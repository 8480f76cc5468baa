/** Runs a program of ours to its end, and measures its time and its memory. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export type Timed = {
  readonly seconds: number;
  /** The most that was resident. */
  readonly megabytes: number;
};

/** @throws Error with the program's words unless it ends with 0 */
export async function timedProgram(
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Timed> {
  const start = performance.now();
  const child = spawn('/usr/bin/env', ['time', '-f', '%M', process.execPath, ...argv], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let told = '';
  child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}: ${told}`);
  return {
    seconds: (performance.now() - start) / 1_000,
    megabytes: Number(told.trim().split('\n').at(-1)) / 1_024,
  };
}
