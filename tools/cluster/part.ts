/** One part of a cluster: a process that tests can start, stop, pause and kill by itself. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { logTail } from '../../src/embedded/log-tail.ts';
import { signalProcess } from '../../src/runner/process/process-stat.ts';

/** Parts of every cluster. */
export type PlanePartName = 'etcd' | 'apiserver' | 'controller-manager' | 'scheduler';
/** Parts of a cluster with a fake node. */
export type PartName = PlanePartName | 'kwok';
/** Parts of a cluster with a real node. */
export type RealPartName = PlanePartName | 'containerd' | 'kubelet';
/** Parts of a Docker engine (tools/compose). */
export type EnginePartName = 'containerd' | 'dockerd';

export type PartOptions = {
  readonly name: PartName | RealPartName | EnginePartName;
  readonly program: string;
  readonly flags: readonly string[];
  readonly dir: string;
  readonly logFile: string;
  /** Resolves with true when the part is healthy; may throw while it does not listen yet. */
  readonly healthy: (signal: AbortSignal) => Promise<boolean>;
};

export type Part = {
  readonly name: PartName | RealPartName | EnginePartName;
  readonly logFile: string;
  /** Pid of the running process; undefined when none runs. */
  readonly pid: number | undefined;
  readonly state: 'running' | 'paused' | 'stopped';
  /** Starts it on the same ports and data, unless it runs; resolves when it is healthy. */
  start(): Promise<void>;
  /** Sends SIGTERM, and SIGKILL after `patienceMs` (default 10 s); resolves when it is gone. */
  stop(patienceMs?: number): Promise<void>;
  /** Sends SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Sends SIGSTOP: it keeps its connections and answers nothing. */
  pause(): void;
  /** Sends SIGCONT; resolves when it is healthy again. */
  resume(): Promise<void>;
  restart(): Promise<void>;
};

const HEALTHY_WITHIN_MS = 60_000;
const POLL_MS = 25;

export function createPart(options: PartOptions): Part {
  return new ProcessPart(options);
}

class ProcessPart implements Part {
  readonly #options: PartOptions;
  #running: { child: ChildProcess; pid: number; gone: Promise<void> } | undefined;
  /** Offset in the log file at which the output of the last run begins. */
  #logFrom = 0;
  #paused = false;

  constructor(options: PartOptions) {
    this.#options = options;
  }

  get name() {
    return this.#options.name;
  }

  get logFile() {
    return this.#options.logFile;
  }

  get pid() {
    return this.#running?.pid;
  }

  get state() {
    if (this.#running === undefined) return 'stopped';
    return this.#paused ? 'paused' : 'running';
  }

  async start(): Promise<void> {
    if (this.#running === undefined) this.#launch();
    else if (this.#paused) return await this.resume();
    await this.#untilHealthy();
  }

  async stop(patienceMs = 10_000): Promise<void> {
    const run = this.#running;
    if (run === undefined) return;
    signalProcess(run.pid, 'SIGTERM');
    signalProcess(run.pid, 'SIGCONT'); // a paused process handles SIGTERM only after this
    const patience = new AbortController();
    const late = wait(patienceMs, undefined, { signal: patience.signal }).then(
      () => signalProcess(run.pid, 'SIGKILL'),
      () => undefined, // ended in time
    );
    await run.gone;
    patience.abort();
    await late;
  }

  async kill(): Promise<void> {
    const run = this.#running;
    if (run === undefined) return;
    signalProcess(run.pid, 'SIGKILL');
    await run.gone;
  }

  pause(): void {
    const { pid } = this.#mustRun();
    this.#paused = true;
    signalProcess(pid, 'SIGSTOP');
  }

  async resume(): Promise<void> {
    const { pid } = this.#mustRun();
    this.#paused = false;
    signalProcess(pid, 'SIGCONT');
    await this.#untilHealthy();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  #mustRun() {
    if (this.#running === undefined) throw new Error(`${this.name} is not running`);
    return this.#running;
  }

  async #untilHealthy(): Promise<void> {
    const { name, logFile, healthy } = this.#options;
    const deadline = Date.now() + HEALTHY_WITHIN_MS;
    let last: unknown;
    while (Date.now() < deadline) {
      if (this.#running === undefined) {
        const lines = logTail(logFile, 8, this.#logFrom);
        throw new Error([`${name} ended (see ${logFile})`, ...lines].join('\n    '));
      }
      try {
        if (await healthy(AbortSignal.timeout(2_000))) return;
      } catch (error) {
        last = error; // not listening yet
      }
      await wait(POLL_MS);
    }
    throw new Error(`${name} was not healthy within ${HEALTHY_WITHIN_MS / 1000} s; see ${logFile}`, {
      cause: last,
    });
  }

  #launch(): void {
    const { program, flags, dir, logFile } = this.#options;
    const log = openSync(logFile, 'a', 0o600);
    try {
      this.#logFrom = statSync(logFile).size;
      // The kernel kills the part when this process ends, even by SIGKILL. setpriv execs the program, which keeps the pid.
      const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...flags], {
        cwd: dir,
        // A minimal environment: proxies or a KUBECONFIG of this shell must not apply.
        env: { PATH: process.env['PATH'], HOME: dir },
        detached: true,
        stdio: ['ignore', log, log],
      });
      if (child.pid === undefined) {
        child.on('error', () => undefined);
        throw new Error('setpriv is not on PATH: install util-linux (Linux only)');
      }
      const { promise: gone, resolve } = Promise.withResolvers<void>();
      child.once('exit', () => {
        resolve();
        if (this.#running?.child === child) this.#running = undefined;
      });
      this.#paused = false;
      this.#running = { child, pid: child.pid, gone };
    } finally {
      closeSync(log);
    }
  }
}
