/** Runs the Temporal dev server of one data folder: started, or adopted if its last owner was killed. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { startDetached } from './detached.ts';
import { freePort } from './ports.ts';
import { endProcess, isAlive, type ProcessIdentity } from './process-identity.ts';
import { signalProcess } from '../process-stat.ts';
import { temporalAnswers } from './temporal-answers.ts';
import { temporalBinary } from './temporal-binary.ts';
import { readTemporalState, writeTemporalState } from './temporal-server-state.ts';

export type EmbeddedTemporal = {
  /** host:port of the gRPC front end; its namespace is `default`. */
  readonly address: string;
  readonly uiUrl: string;
  readonly pid: number;
  /** True when the server was already running, left over from a killed owner. */
  readonly adopted: boolean;
  /** Ends the server; safe to repeat. */
  readonly stop: () => Promise<void>;
  /** Ends it at once; what it has acknowledged is in its file. */
  readonly kill: () => void;
};

export type TemporalOptions = {
  dataDir: string;
  onProgress?: (line: string) => void;
  /** Keeps nothing: no database file, no adoption. */
  inMemory?: boolean;
  port?: number;
  uiPort?: number;
  /** Gives up getting the program. */
  signal?: AbortSignal;
};

// It keeps every acknowledged write in its database file, also over a SIGKILL: no need to wait long for its manners.
const END: ReadonlyArray<readonly [NodeJS.Signals, number]> = [
  ['SIGTERM', 10_000],
  ['SIGKILL', 5_000],
];

/**
 * Starts `temporal server start-dev` on 127.0.0.1 with `<dataDir>/temporal.db`; ports are those of the last run where
 * still free. There is never a second server on one database file: an orphan is adopted if it answers, else ended.
 * @throws Error naming the program that is missing, or with the server's last lines
 */
export async function startTemporal(options: TemporalOptions): Promise<EmbeddedTemporal> {
  const dataDir = path.resolve(options.dataDir);
  mkdirSync(path.join(dataDir, 'logs'), { recursive: true, mode: 0o700 });
  const stateFile = options.inMemory ? undefined : path.join(dataDir, 'temporal.json');
  const last = stateFile === undefined ? undefined : readTemporalState(stateFile);
  if (last !== undefined && isAlive(last)) {
    const identity: ProcessIdentity = { pid: last.pid, startTime: last.startTime };
    if (await temporalAnswers(`127.0.0.1:${last.port}`, 5_000))
      return handle(last.port, last.uiPort, identity, true);
    options.onProgress?.(`ending a Temporal server that no longer answers (pid ${last.pid})`);
    await endProcess('Temporal', identity, END);
  }
  const binary = await temporalBinary(options.onProgress, process.env, options.signal);
  options.signal?.throwIfAborted();
  return launch({
    binary,
    dataDir,
    stateFile,
    port: options.port ?? (await freePort(last?.port)),
    uiPort: options.uiPort ?? (await freePort(last?.uiPort)),
  });
}

async function launch(options: {
  binary: string;
  dataDir: string;
  stateFile: string | undefined;
  port: number;
  uiPort: number;
}): Promise<EmbeddedTemporal> {
  const { binary, dataDir, stateFile, port, uiPort } = options;
  const address = `127.0.0.1:${port}`;
  const args = [
    'server',
    'start-dev',
    '--ip',
    '127.0.0.1',
    '--port',
    String(port),
    '--ui-port',
    String(uiPort),
  ];
  args.push('--log-level', 'warn', '--log-format', 'json', '--color', 'never');
  // The answer to a workflow task then carries the activity it asked for: one round less for each launch.
  args.push('--dynamic-config-value', 'system.enableActivityEagerExecution=true');
  // WAL with NORMAL survives a SIGKILL whole and waits for the disk at checkpoints only, not at every commit.
  if (stateFile !== undefined)
    args.push(
      '--db-filename',
      path.join(dataDir, 'temporal.db'),
      '--sqlite-pragma',
      'journal_mode=wal',
      '--sqlite-pragma',
      'synchronous=1',
    );
  const identity = await startDetached({
    name: `Temporal on ${address}`,
    command: [binary, ...args],
    cwd: dataDir,
    logFile: path.join(dataDir, 'logs', 'temporal.log'),
    timeoutMs: 30_000,
    end: END,
    onStart(started) {
      if (stateFile !== undefined) writeTemporalState(stateFile, { ...started, port, uiPort });
    },
    answers: () => temporalAnswers(address),
  });
  return handle(port, uiPort, identity, false);
}

function handle(port: number, uiPort: number, identity: ProcessIdentity, adopted: boolean): EmbeddedTemporal {
  return {
    address: `127.0.0.1:${port}`,
    uiUrl: `http://127.0.0.1:${uiPort}`,
    pid: identity.pid,
    adopted,
    stop: () => endProcess('Temporal', identity, END),
    kill: () => {
      if (isAlive(identity)) signalProcess(identity.pid, 'SIGKILL');
    },
  };
}
