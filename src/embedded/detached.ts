/** Starts a server that outlives us, and waits until it answers. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { logTail } from './log-tail.ts';
import { endProcess, identify, isAlive, type ProcessIdentity } from './process-identity.ts';

const LOOK_MS = 25;

export type DetachedServer = {
  /** For messages. */
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  readonly cwd: string;
  readonly environment?: NodeJS.ProcessEnv;
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  readonly logFile: string;
  readonly timeoutMs: number;
  /** How it is ended when it does not answer in time: signals, each with the milliseconds it is given. */
  readonly end: Parameters<typeof endProcess>[2];
  /** Told at once, before it answers, so that whoever comes after a crash of ours finds it. */
  readonly onStart?: (identity: ProcessIdentity) => void;
  readonly answers: () => Promise<boolean>;
};

/** Thrown when the server ended or did not answer in time; by then it is gone. */
export class ServerDidNotStart extends Error {
  /** The end of what it said. */
  readonly lines: readonly string[];

  constructor(message: string, lines: readonly string[], cause: Error | undefined) {
    super(`${message}: ${lines.join(' | ')}`, { cause });
    this.lines = lines;
  }
}

/** @throws ServerDidNotStart */
export async function startDetached(server: DetachedServer): Promise<ProcessIdentity> {
  const { name, logFile, command } = server;
  const [program, ...args] = command;
  // A file, not a pipe: the server must be able to write on after we were killed.
  const log = openSync(logFile, 'a', 0o600);
  const logStart = statSync(logFile).size;
  const child = spawn(program, args, {
    ...server.user,
    cwd: server.cwd,
    ...(server.environment === undefined ? {} : { env: server.environment }),
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let failure: Error | undefined;
  child.on('error', (error) => {
    failure = error;
  });
  child.unref();
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (identity !== undefined) server.onStart?.(identity);
  const deadline = Date.now() + server.timeoutMs;
  while (identity !== undefined && isAlive(identity)) {
    if (await server.answers()) return identity;
    if (Date.now() > deadline) {
      await endProcess(name, identity, server.end);
      break;
    }
    await wait(LOOK_MS);
  }
  throw new ServerDidNotStart(
    `${name} did not start (see ${logFile})`,
    logTail(logFile, 5, logStart),
    failure,
  );
}
