/** An api or a worker of the product as a process that can be killed and paused. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { compileCache } from './compile-cache.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const READY_WITHIN_MS = 60_000;
const KEPT_CHARACTERS = 4_000_000;

export type ProductPart = {
  readonly name: string;
  readonly script: string;
  readonly pid: number | undefined;
  /**
   * Resolves when it is ready.
   * @throws Error with the end of its output if it ends before
   */
  start(): Promise<void>;
  /** Sends SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Sends SIGTERM, as a deploy does; resolves when it is gone. */
  stop(): Promise<void>;
  /** Sends SIGSTOP: it keeps its connections and answers nothing. */
  pause(): void;
  /** Sends SIGCONT. */
  resume(): void;
  /** Its output over all its starts: the newest 4 million characters. */
  output(): string;
};

/**
 * @param of.script path from the project's root
 * @param of.root another checkout of the project than this one
 */
export function createProductPart(of: {
  name: string;
  script: string;
  root?: string | undefined;
  environment: Readonly<Record<string, string>>;
  nodeArguments?: readonly string[];
  /** A command that runs the command after it. */
  under?: readonly string[] | undefined;
}): ProductPart {
  let child: ChildProcess | undefined;
  let output = '';
  const keep = (bytes: Buffer) => {
    output = (output + bytes.toString()).slice(-KEPT_CHARACTERS);
  };
  const end = async (signal: NodeJS.Signals) => {
    const ending = child;
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return;
    const exited = once(ending, 'exit');
    ending.kill(signal);
    ending.kill('SIGCONT'); // a paused process would not get it
    await exited;
  };
  return {
    name: of.name,
    script: of.script,
    get pid() {
      return child?.pid;
    },
    async start() {
      const node = [process.execPath, ...(of.nodeArguments ?? []), path.join(of.root ?? ROOT, of.script)];
      const [program = '', ...args] = [...(of.under ?? []), ...node];
      const started = spawn(program, args, {
        env: {
          PATH: process.env['PATH'] ?? '',
          HOME: process.env['HOME'] ?? '',
          ...compileCache(),
          ...of.environment,
        },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      });
      child = started;
      started.stdout?.on('data', keep);
      started.stderr?.on('data', keep);
      const gone = once(started, 'exit').then(() => 'gone');
      const late = AbortSignal.timeout(READY_WITHIN_MS);
      const first = await Promise.race([
        once(started, 'message', { signal: late }).then(() => 'ready'),
        gone,
      ]);
      if (first === 'gone' && started.signalCode !== 'SIGKILL')
        throw new Error(`${of.name} ended before it was ready:\n${output.slice(-3_000)}`);
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    output: () => output,
  };
}
