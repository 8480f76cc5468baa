/** Finds Go and builds programs with it, reporting progress, since a first build takes minutes. */
import { execFile } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { withProgress } from './progress-ticker.ts';

const LIMIT_MS = 30 * 60_000;

export type GoBuild = {
  readonly go: string;
  /** Target folder of the program. */
  readonly bin: string;
  readonly name: string;
  /** Arguments of `go` that write the program to the folder, which is also GOBIN. */
  readonly goArguments: (folder: string) => readonly string[];
  /** File name that Go gives the program; default: `name`. */
  readonly builtAs?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly label: string;
  /** Usual duration as text, such as `3 minutes`. */
  readonly usually: string;
  readonly onProgress: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Builds in a temporary folder and renames, so that concurrent builders never see a partial file.
 * @returns the program's path
 * @throws Error with the last line of Go's output
 */
export async function buildWithGo(build: GoBuild): Promise<string> {
  const { go, bin, name, label, onProgress, signal } = build;
  mkdirSync(bin, { recursive: true });
  const folder = mkdtempSync(path.join(bin, 'build-'));
  try {
    await withProgress(`${label} (about ${build.usually}, once)`, onProgress, () =>
      promisify(execFile)(go, build.goArguments(folder), {
        ...(build.cwd === undefined ? {} : { cwd: build.cwd }),
        env: { ...process.env, ...build.env, GOBIN: folder },
        timeout: LIMIT_MS,
        maxBuffer: 64 * 1024 * 1024,
        ...(signal === undefined ? {} : { signal }),
      }),
    );
    renameSync(path.join(folder, build.builtAs ?? name), path.join(bin, name));
    return path.join(bin, name);
  } catch (cause) {
    const { stderr } = cause as { stderr?: string };
    const last = stderr?.trim().split('\n').at(-1) ?? '';
    const why = last === '' ? (cause instanceof Error ? cause.message : String(cause)) : last;
    throw new Error(`${label} failed: ${why.slice(0, 300)}`, { cause });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Path of the program of this name on PATH. */
export function onPath(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  return (env['PATH'] ?? '')
    .split(path.delimiter)
    .filter((folder) => path.isAbsolute(folder))
    .map((folder) => path.join(folder, name))
    .find(isExecutable);
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // absent or not executable
  }
}
