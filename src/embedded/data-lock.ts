/** One `npm start` per data folder; and what a killed one left running is known to the next. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { identify, isAlive } from './process-identity.ts';

const identity = z.object({ pid: z.number().int().positive(), startTime: z.string() });
const content = identity.extend({ parts: z.array(identity.extend({ name: z.string() })) });

export type RunningPart = { readonly name: string; readonly pid: number; readonly startTime: string };

export type DataLock = {
  /** Parts of a previous owner that still run although it does not. */
  readonly leftOver: readonly RunningPart[];
  /** Writes down the child processes of now. */
  record(parts: readonly RunningPart[]): void;
  release(): void;
};

/** @throws Error naming the living owner's pid */
export function lockDataFolder(dataDir: string): DataLock {
  const file = lockFile(dataDir);
  const self = identify(process.pid);
  if (self === undefined) throw new Error('this process cannot see itself in the process table');
  const write = (target: string, parts: readonly RunningPart[]) =>
    writeFileSync(target, `${JSON.stringify({ ...self, parts })}\n`, { mode: 0o600 });
  const draft = `${file}.${process.pid}`;
  write(draft, []);
  try {
    const leftOver = take(file, draft, dataDir);
    return {
      leftOver,
      record(parts) {
        write(draft, parts);
        renameSync(draft, file);
      },
      release: () => rmSync(file, { force: true }),
    };
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The owner of a data folder and its child processes, as last written down. */
export function readDataLock(dataDir: string): z.infer<typeof content> | undefined {
  try {
    return content.parse(JSON.parse(readFileSync(lockFile(dataDir), 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`${lockFile(dataDir)} is damaged: see that nothing runs on ${dataDir}, then delete it`, {
      cause: error,
    });
  }
}

function take(file: string, draft: string, dataDir: string): RunningPart[] {
  let leftOver: RunningPart[] = [];
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      linkSync(draft, file); // atomic, and refuses an existing one
      return leftOver;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = readDataLock(dataDir);
    if (holder === undefined) continue;
    if (isAlive(holder)) {
      throw new Error(
        `the data folder ${dataDir} is in use by another npm start (pid ${holder.pid}): stop that one, or set SYNCRATOR_DATA and PORT`,
      );
    }
    leftOver = holder.parts.filter(isAlive);
    rmSync(file, { force: true });
  }
  throw new Error(`the lock ${file} is being fought over; try again`);
}

function lockFile(dataDir: string): string {
  return path.join(dataDir, 'npm-start.json');
}
