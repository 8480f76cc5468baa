/**
 * The folder of one attempt, `<data>/runs/<name>/`: what is in it and how it is read. Each file is written once, by
 * rename or link, so that a reader sees all of it or nothing.
 *
 * spec.json: what runs and for whom, written before the folder has its name · supervisor.json: who supervises it, taken
 * by link, so that there is only ever one · log: what the program prints · exit.json: how it ended.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { StepLabels } from '../../domain/names.ts';

export type RunSpec = {
  readonly uid: string;
  readonly labels: StepLabels;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly graceSeconds: number;
  readonly createdAt: string;
};

/** pid 0: taken by a removal before any supervisor came, so that none ever will. */
export type Supervisor = { readonly pid: number; readonly startTime: string };

export type Exit = {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly reason: 'exited' | 'deadline' | 'stopped' | 'not_started';
  readonly detail: string;
};

export const LOG = 'log';

/** Makes the folder under its name with spec.json in it, all at once. False when the name is taken. */
export async function createRunFolder(folder: string, spec: RunSpec): Promise<boolean> {
  const unnamed = path.join(path.dirname(folder), `.new-${randomUUID()}`);
  await mkdir(unnamed, { recursive: true, mode: 0o700 });
  try {
    await writeFile(path.join(unnamed, 'spec.json'), JSON.stringify(spec));
    await rename(unnamed, folder); // onto a folder that is not empty it fails: this is the mkdir that decides
    return true;
  } catch (error) {
    await rm(unnamed, { recursive: true, force: true });
    if (isCode(error, 'ENOTEMPTY', 'EEXIST')) return false;
    throw error;
  }
}

/** Takes the one place of the supervisor. False when somebody has it. */
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

export async function writeExit(folder: string, exit: Exit): Promise<void> {
  const own = path.join(folder, '.exit');
  await writeFile(own, JSON.stringify(exit));
  await rename(own, path.join(folder, 'exit.json'));
}

export const readSpec = (folder: string) => readJson<RunSpec>(folder, 'spec.json');
export const readSupervisor = (folder: string) => readJson<Supervisor>(folder, 'supervisor.json');
export const readExit = (folder: string) => readJson<Exit>(folder, 'exit.json');

/** Names of all run folders; none when nothing ever ran. */
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

/** Undefined when the file, or its folder, is not there, or when a power cut tore it: then it says nothing. */
async function readJson<T>(folder: string, file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path.join(folder, file), 'utf8')) as T;
  } catch (error) {
    if (isCode(error, 'ENOENT') || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
