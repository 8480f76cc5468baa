/** Locks the data folder for one `npm start`, and records its processes so that the next one can end them after a SIGKILL. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { identify, isAlive } from './process-identity.ts';

const identity = z.object({ pid: z.number().int().positive(), startTime: z.string() });
const content = identity.extend({ parts: z.array(identity.extend({ name: z.string() })) });

export type RunningPart = { readonly name: string; readonly pid: number; readonly startTime: string };

export type DataLock = {
  /** Running processes of a previous owner that has died. */
  readonly leftOver: readonly RunningPart[];
  /** Records the current child processes. */
  record(parts: readonly RunningPart[]): void;
  release(): void;
};

/** @throws Error naming the pid of a running owner */
export function lockDataFolder(dataDir: string): DataLock {
  const file = lockFile(dataDir);
  const self = identify(process.pid);
  if (self === undefined)
    throw new Error('this process is missing in the process table: /proc or ps is not usable');
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

/** The recorded owner of a data folder and its child processes; undefined without a lock. */
export function readDataLock(dataDir: string): z.infer<typeof content> | undefined {
  try {
    return content.parse(JSON.parse(readFileSync(lockFile(dataDir), 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(
      `${lockFile(dataDir)} is damaged: make sure that nothing runs on ${dataDir}, then delete the file`,
      {
        cause: error,
      },
    );
  }
}

function take(file: string, draft: string, dataDir: string): RunningPart[] {
  let leftOver: RunningPart[] = [];
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      linkSync(draft, file); // atomic, and fails if the file exists
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
  throw new Error(`several npm starts compete for the lock ${file}: try again`);
}

function lockFile(dataDir: string): string {
  return path.join(dataDir, 'npm-start.json');
}
