/** One run of one child process: its output to a log file and, where it matters, to the console. */
import { spawn } from 'node:child_process';
import { createWriteStream, renameSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { worthShowing } from './log-line.ts';
import { identify, type ProcessIdentity } from './process-identity.ts';

/** What a child sends over IPC when it can do its work. */
export type ReadyMessage = {
  readonly ready: true;
  readonly url?: string;
  readonly adminPassword?: string;
  /** What the worker runs steps on, in words. */
  readonly runner?: string;
};

export type PartProcess = {
  readonly identity: ProcessIdentity | undefined;
  readonly ready: Promise<ReadyMessage>;
  /** How it ended, in words; never rejects. */
  readonly ended: Promise<string>;
  /** Its last lines of output. */
  readonly tail: readonly string[];
};

export type PartCommand = {
  readonly name: string;
  readonly script: string;
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
  readonly say: (line: string) => void;
};

const TAIL_LINES = 12;
const MAX_LOG_BYTES = 20 * 1024 * 1024;

/**
 * Starts the script with an IPC channel, in a process group of its own: the terminal's Ctrl-C must not reach it before
 * its turn. It has to end by itself when the channel disconnects, which is how it learns that we were killed.
 */
export function runPart(command: PartCommand): PartProcess {
  const { name, script, env, logFile, say } = command;
  rotate(logFile);
  const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
  log.on('error', (error) => say(`${name}: its log cannot be written: ${error.message}`));
  const tail: string[] = [];
  const ready = Promise.withResolvers<ReadyMessage>();
  const ended = Promise.withResolvers<string>();
  const child = spawn(process.execPath, [script], {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const stream of ['stdout', 'stderr'] as const) {
    const source = child[stream];
    if (source === null) continue;
    createInterface({ input: source }).on('line', (line) => {
      log.write(`${line}\n`);
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      const shown = worthShowing(line, stream);
      if (shown !== undefined) say(`${name}: ${shown}`);
    });
  }
  child.on('message', (message) => {
    if (isReady(message)) ready.resolve(message);
  });
  child.on('error', (error) => {
    if (child.pid === undefined) ended.resolve(error.message);
    else say(`${name}: ${error.message}`);
  });
  child.once('exit', (code, signal) => {
    // Its last output is still in the pipe; a grandchild that holds the pipe open must not hold us up.
    const drained = new Promise((resolve) => child.once('close', resolve));
    void Promise.race([drained, wait(300)]).then(() => {
      log.end();
      ended.resolve(signal === null ? `exit code ${code}` : signal);
    });
  });
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  return { identity, ready: ready.promise, ended: ended.promise, tail };
}

function isReady(message: unknown): message is ReadyMessage {
  return typeof message === 'object' && message !== null && 'ready' in message && message.ready === true;
}

function rotate(logFile: string): void {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (size > MAX_LOG_BYTES) renameSync(logFile, `${logFile}.1`);
}
