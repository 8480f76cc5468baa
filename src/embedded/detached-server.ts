/** Starts a server process that outlives this one, and waits until it answers. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { guardFolder } from './folder-guard.ts';
import { logTail } from './log-tail.ts';
import { endProcess, identify, isAlive, type ProcessIdentity } from './process-identity.ts';

const LOOK_MS = 25;

export type DetachedServer = {
  /** Name in messages. */
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  readonly cwd: string;
  readonly environment?: NodeJS.ProcessEnv;
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  readonly logFile: string;
  readonly timeoutMs: number;
  /** Signals that end a server which does not answer in time, each with its timeout in milliseconds. */
  readonly end: Parameters<typeof endProcess>[2];
  /** Called before the server answers, so that the next start finds it if this process crashes. */
  readonly onStart?: (identity: ProcessIdentity) => void;
  readonly answers: () => Promise<boolean>;
  /** A guard ends the server by this signal once this file is deleted. */
  readonly livesWith: { readonly file: string; readonly signal: 'SIGKILL' | 'SIGQUIT' };
};

/** Thrown when the server ended, or did not answer in time and was ended. */
export class ServerDidNotStart extends Error {
  /** Last lines of its output. */
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
  // A file, not a pipe: the server must be able to write after this process was killed.
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
    if (await server.answers()) {
      guardFolder({ name, server: identity, ...server.livesWith });
      return identity;
    }
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
