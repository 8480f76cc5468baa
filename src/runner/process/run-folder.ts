/**
 * Folder of one attempt, `<data>/runs/<name>/`. Each file is written once, by rename or link, so that a reader sees all
 * of it or nothing.
 *
 * spec.json: program, arguments and labels, written before the folder gets its name · supervisor.json: pid of the
 * supervisor, created by link, so that there is only one · log: output of the program · exit.json: how it ended.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { LogShare } from '../../domain/log-chunks.ts';
import type { StepLabels } from '../../domain/names.ts';

export type RunSpec = {
  readonly uid: string;
  readonly labels: StepLabels;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly graceSeconds: number;
  /** User of the program; default: the worker's. */
  readonly user?: { readonly uid: number; readonly home: string };
  /** Readable head and tail of its log; a spec of an older version has none, and its log is unbounded. */
  readonly keep?: LogShare;
  readonly createdAt: string;
};

/** pid 0: a removal came before any supervisor, so that none will start. */
export type Supervisor = { readonly pid: number; readonly startTime: string };

export type Exit = {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly reason: 'exited' | 'deadline' | 'stopped' | 'not_started';
  readonly detail: string;
};

export const LOG = 'log';

/** Creates the folder with spec.json atomically. @returns false when the name is taken */
export async function createRunFolder(folder: string, spec: RunSpec): Promise<boolean> {
  const unnamed = path.join(path.dirname(folder), `.new-${randomUUID()}`);
  await mkdir(unnamed, { recursive: true, mode: 0o700 });
  try {
    await writeFile(path.join(unnamed, 'spec.json'), JSON.stringify(spec));
    await rename(unnamed, folder); // fails onto a folder that is not empty, so exactly one caller succeeds
    return true;
  } catch (error) {
    await rm(unnamed, { recursive: true, force: true });
    if (isCode(error, 'ENOTEMPTY', 'EEXIST')) return false;
    throw error;
  }
}

/** Claims the place of the supervisor. @returns false when another process has it */
export async function takeSupervision(folder: string, supervisor: Supervisor): Promise<boolean> {
  const own = path.join(folder, `.supervisor-${randomUUID()}`);
  await writeFile(own, JSON.stringify(supervisor));
  try {
    await link(own, path.join(folder, 'supervisor.json'));
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(own, { force: true });
  }
}

/** One block of a file system, reserved before the program can fill the disk. */
const EXIT_BYTES = 4096;

/** Reserves space for `writeExit`, so that the end of a program is recorded on a full disk too. */
export async function reserveExit(folder: string): Promise<void> {
  await writeFile(path.join(folder, '.exit'), ' '.repeat(EXIT_BYTES));
}

export async function writeExit(folder: string, exit: Exit): Promise<void> {
  const own = path.join(folder, '.exit');
  const text = JSON.stringify({ ...exit, detail: exit.detail.slice(0, EXIT_BYTES / 4) });
  // Overwrites the reserved bytes without a new block; JSON allows trailing blanks.
  const file = await open(own, 'r+');
  try {
    await file.write(text.padEnd(EXIT_BYTES), 0);
  } finally {
    await file.close();
  }
  await rename(own, path.join(folder, 'exit.json'));
}

export const readSpec = (folder: string) => readJson<RunSpec>(folder, 'spec.json');
export const readSupervisor = (folder: string) => readJson<Supervisor>(folder, 'supervisor.json');
export const readExit = (folder: string) => readJson<Exit>(folder, 'exit.json');

/** Names of all run folders; empty before the first run. */
export async function listRunFolders(runsDir: string): Promise<string[]> {
  try {
    return (await readdir(runsDir)).filter((name) => !name.startsWith('.'));
  } catch (error) {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  }
}

export function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Undefined if the file or its folder is missing, or a power cut truncated it. */
async function readJson<T>(folder: string, file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path.join(folder, file), 'utf8')) as T;
  } catch (error) {
    if (isCode(error, 'ENOENT') || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
