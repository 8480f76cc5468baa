/** One part of the control plane: a process that can be killed, stopped, paused and started again alone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { logTail } from '../../src/embedded/log-tail.ts';
import { signalProcess } from '../../src/process-stat.ts';

/** What every cluster has. */
export type PlanePartName = 'etcd' | 'apiserver' | 'controller-manager' | 'scheduler';
/** Those of a cluster with a fake node. */
export type PartName = PlanePartName | 'kwok';
/** Those of a cluster with a real one. */
export type RealPartName = PlanePartName | 'containerd' | 'kubelet';
/** Those of a Docker engine (tools/compose). */
export type EnginePartName = 'containerd' | 'dockerd';

export type PartOptions = {
  readonly name: PartName | RealPartName | EnginePartName;
  readonly program: string;
  readonly flags: readonly string[];
  readonly dir: string;
  readonly logFile: string;
  /** True when the part answers that it is well; may throw while nobody listens. */
  readonly healthy: (signal: AbortSignal) => Promise<boolean>;
};

export type Part = {
  readonly name: PartName | RealPartName | EnginePartName;
  readonly logFile: string;
  /** Of the running process; undefined when none runs. */
  readonly pid: number | undefined;
  readonly state: 'running' | 'paused' | 'stopped';
  /** Starts it on the same ports and data; resolves when it is healthy, at once if it runs and is. */
  start(): Promise<void>;
  /** SIGTERM, after `patienceMs` (default 10 s) SIGKILL; resolves when it is gone. */
  stop(patienceMs?: number): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: it keeps its connections and answers nothing. */
  pause(): void;
  /** SIGCONT; resolves when it is healthy again. */
  resume(): Promise<void>;
  /** Stop and start. */
  restart(): Promise<void>;
};

const HEALTHY_WITHIN_MS = 60_000;
const POLL_MS = 25;

export function createPart(options: PartOptions): Part {
  const { name, program, flags, dir, logFile, healthy } = options;
  let running: { child: ChildProcess; pid: number; gone: Promise<void> } | undefined;
  /** Where the output of the last run begins. */
  let logFrom = 0;
  let paused = false;

  async function untilHealthy(): Promise<void> {
    const deadline = Date.now() + HEALTHY_WITHIN_MS;
    let last: unknown;
    while (Date.now() < deadline) {
      if (running === undefined)
        throw new Error([`${name} ended (see ${logFile})`, ...logTail(logFile, 8, logFrom)].join('\n    '));
      try {
        if (await healthy(AbortSignal.timeout(2_000))) return;
      } catch (error) {
        last = error; // nobody listens yet
      }
      await wait(POLL_MS);
    }
    throw new Error(`${name} was not healthy within ${HEALTHY_WITHIN_MS / 1000} s; see ${logFile}`, {
      cause: last,
    });
  }

  function launch(): void {
    const log = openSync(logFile, 'a', 0o600);
    try {
      logFrom = statSync(logFile).size;
      // The kernel kills it when we are gone, however we went; setpriv becomes the program, so the pid is the program's.
      const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...flags], {
        cwd: dir,
        // Nothing of ours: a proxy or a KUBECONFIG meant for others must not reach it.
        env: { PATH: process.env['PATH'], HOME: dir },
        detached: true,
        stdio: ['ignore', log, log],
      });
      if (child.pid === undefined) {
        child.on('error', () => undefined);
        throw new Error('there is no setpriv on PATH: install util-linux (Linux only)');
      }
      const { promise: gone, resolve } = Promise.withResolvers<void>();
      child.once('exit', () => {
        resolve();
        if (running?.child === child) running = undefined;
      });
      paused = false;
      running = { child, pid: child.pid, gone };
    } finally {
      closeSync(log);
    }
  }

  const part: Part = {
    name,
    logFile,
    get pid() {
      return running?.pid;
    },
    get state() {
      if (running === undefined) return 'stopped';
      return paused ? 'paused' : 'running';
    },
    async start() {
      if (running === undefined) launch();
      else if (paused) return part.resume();
      await untilHealthy();
    },
    async stop(patienceMs = 10_000) {
      const run = running;
      if (run === undefined) return;
      signalProcess(run.pid, 'SIGTERM');
      signalProcess(run.pid, 'SIGCONT'); // a paused one could not hear it
      const patience = new AbortController();
      const late = wait(patienceMs, undefined, { signal: patience.signal }).then(
        () => signalProcess(run.pid, 'SIGKILL'),
        () => undefined, // it was in time
      );
      await run.gone;
      patience.abort();
      await late;
    },
    async kill() {
      const run = running;
      if (run === undefined) return;
      signalProcess(run.pid, 'SIGKILL');
      await run.gone;
    },
    pause() {
      if (running === undefined) throw new Error(`${name} is not running`);
      paused = true;
      signalProcess(running.pid, 'SIGSTOP');
    },
    async resume() {
      if (running === undefined) throw new Error(`${name} is not running`);
      paused = false;
      signalProcess(running.pid, 'SIGCONT');
      await untilHealthy();
    },
    async restart() {
      await part.stop();
      await part.start();
    },
  };
  return part;
}
