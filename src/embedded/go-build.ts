/** Finds Go, and builds a program with it: minutes on a cold machine, so it says how long it has been at it. */
import { execFile } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { withSignOfLife } from './sign-of-life.ts';

const LIMIT_MS = 30 * 60_000;

export type GoBuild = {
  readonly go: string;
  /** Folder and name of the finished program. */
  readonly bin: string;
  readonly name: string;
  /** The arguments of `go` that leave the program in the folder, which is GOBIN too. */
  readonly goArguments: (folder: string) => readonly string[];
  /** What Go names the program, where that is not `name`. */
  readonly builtAs?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly label: string;
  /** In words: `3 minutes`. */
  readonly usually: string;
  readonly onProgress: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Builds in a folder of its own and renames, so that two builders never see half a file.
 * @returns the program's path
 * @throws Error with the last line Go said
 */
export async function buildWithGo(build: GoBuild): Promise<string> {
  const { go, bin, name, label, onProgress, signal } = build;
  mkdirSync(bin, { recursive: true });
  const folder = mkdtempSync(path.join(bin, 'build-'));
  try {
    await withSignOfLife(`${label} (about ${build.usually}, once)`, onProgress, () =>
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
    const said = stderr?.trim().split('\n').at(-1) ?? '';
    const why = said === '' ? (cause instanceof Error ? cause.message : String(cause)) : said;
    throw new Error(`${label} failed: ${why.slice(0, 300)}`, { cause });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The program of this name on PATH. */
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
    return false; // absent, or not for us: the next place is tried
  }
}
