/** Runs one child process once: writes its output to a log file, and warnings and errors to the console too. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { worthShowing } from './log-line.ts';
import { openRotatingLog } from './rotating-log.ts';
import { identify, type ProcessIdentity } from './process-identity.ts';

/** IPC message that a child sends once it is ready. */
export type ReadyMessage = {
  readonly ready: true;
  readonly url?: string;
  readonly adminPassword?: string;
  /** The worker's description of its runner. */
  readonly runner?: string;
};

export type PartProcess = {
  readonly identity: ProcessIdentity | undefined;
  readonly ready: Promise<ReadyMessage>;
  /** Exit code or signal as text; never rejects. */
  readonly ended: Promise<string>;
  /** Last lines of its output. */
  readonly tail: readonly string[];
};

export type PartCommand = {
  readonly name: string;
  readonly script: string;
  /** Options of Node itself, such as `--inspect`. */
  readonly nodeOptions?: readonly string[] | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
  readonly say: (line: string) => void;
};

const TAIL_LINES = 12;

/**
 * Starts the script with an IPC channel, in its own process group, so that Ctrl-C of the terminal does not reach it out
 * of order. The script must exit when the channel disconnects, which happens when this process is killed.
 */
export function runPart(command: PartCommand): PartProcess {
  const { name, script, nodeOptions = [], env, logFile, say } = command;
  const log = openRotatingLog(logFile, (error) => say(`${name}: cannot write its log: ${error.message}`));
  const tail: string[] = [];
  const ready = Promise.withResolvers<ReadyMessage>();
  const ended = Promise.withResolvers<string>();
  const child = spawn(process.execPath, [...nodeOptions, script], {
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
    // Waits for the rest of its output, but not for a grandchild that keeps the pipe open.
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
