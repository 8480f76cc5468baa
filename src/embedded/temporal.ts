/** Runs the Temporal dev server of one data folder: starts it, or adopts the server of a killed owner. */
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { startDetached } from './detached-server.ts';
import { changedPort } from './kept-port.ts';
import { freePort } from './ports.ts';
import { endProcess, isAlive, type ProcessIdentity } from './process-identity.ts';
import { signalProcess } from '../runner/process/process-stat.ts';
import { temporalAnswers } from './temporal-answers.ts';
import { temporalBinary } from './temporal-binary.ts';
import { readTemporalState, writeTemporalState } from './temporal-server-state.ts';

export type EmbeddedTemporal = {
  /** host:port of the gRPC front end; its namespace is `default`. */
  readonly address: string;
  readonly uiUrl: string;
  readonly pid: number;
  /** True when the server of a killed owner was adopted. */
  readonly adopted: boolean;
  /** Stops the server; safe to repeat. */
  readonly stop: () => Promise<void>;
  /** Kills it at once; acknowledged writes are in its database file. */
  readonly kill: () => void;
};

const DB_FILE = 'temporal.db';

export type TemporalOptions = {
  dataDir: string;
  /** Ports to avoid. */
  except?: ReadonlySet<number>;
  onProgress?: (line: string) => void;
  /** Without a database file and without adoption. */
  inMemory?: boolean;
  port?: number;
  uiPort?: number;
  /** Aborts the download or build of the program. */
  signal?: AbortSignal;
};

// Acknowledged writes survive a SIGKILL, so SIGTERM gets a short timeout.
const END: ReadonlyArray<readonly [NodeJS.Signals, number]> = [
  ['SIGTERM', 10_000],
  ['SIGKILL', 5_000],
];

/**
 * Starts `temporal server start-dev` on 127.0.0.1 with `<dataDir>/temporal.db`, on the ports of the last run if free.
 * Never runs two servers on one database file: adopts an orphan that answers, and ends one that does not.
 * @throws Error naming the missing program, or with the server's last lines
 */
export async function startTemporal(options: TemporalOptions): Promise<EmbeddedTemporal> {
  const dataDir = path.resolve(options.dataDir);
  mkdirSync(path.join(dataDir, 'logs'), { recursive: true, mode: 0o700 });
  const stateFile = options.inMemory ? undefined : path.join(dataDir, 'temporal.json');
  const last = stateFile === undefined ? undefined : readTemporalState(stateFile);
  if (last !== undefined && isAlive(last)) {
    const identity: ProcessIdentity = { pid: last.pid, startTime: last.startTime };
    if (await temporalAnswers(`127.0.0.1:${last.port}`, 5_000)) {
      closeFiles(dataDir);
      return handle(last.port, last.uiPort, identity, true);
    }
    options.onProgress?.(`ending a Temporal server that no longer answers (pid ${last.pid})`);
    await endProcess('Temporal', identity, END);
  }
  const binary = await temporalBinary(options.onProgress, process.env, options.signal);
  options.signal?.throwIfAborted();
  const except = options.except ?? new Set<number>();
  const port = options.port ?? (await freePort(last?.port, { except }));
  const uiPort = options.uiPort ?? (await freePort(last?.uiPort, { except: new Set([...except, port]) }));
  for (const [server, now, before] of [
    ['Temporal', port, last?.port],
    ['Temporal Web UI', uiPort, last?.uiPort],
  ] as const)
    if (before !== undefined && before !== now)
      options.onProgress?.(changedPort(server, { port: now, before }));
  return launch({ binary, dataDir, stateFile, port, uiPort });
}

/** Restricts the database files to the owner: SQLite and older versions of ours created them readable by all. */
function closeFiles(dataDir: string): void {
  for (const suffix of ['', '-wal', '-shm']) {
    const file = path.join(dataDir, `${DB_FILE}${suffix}`);
    if (existsSync(file)) chmodSync(file, 0o600);
  }
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
  // Eager activities come with the answer to the workflow task, which saves one round trip per launch.
  args.push('--dynamic-config-value', 'system.enableActivityEagerExecution=true');
  // WAL with synchronous=NORMAL survives a SIGKILL and syncs to disk at checkpoints only, not at every commit.
  if (stateFile !== undefined) {
    closeFiles(dataDir);
    args.push(
      '--db-filename',
      path.join(dataDir, DB_FILE),
      '--sqlite-pragma',
      'journal_mode=wal',
      '--sqlite-pragma',
      'synchronous=1',
    );
  }
  const identity = await startDetached({
    name: `Temporal on ${address}`,
    // The umask keeps other users out of the files that the server creates.
    command: ['sh', '-c', 'umask 077 && exec "$0" "$@"', binary, ...args],
    cwd: dataDir,
    logFile: path.join(dataDir, 'logs', 'temporal.log'),
    timeoutMs: 30_000,
    end: END,
    onStart(started) {
      if (stateFile !== undefined) writeTemporalState(stateFile, { ...started, port, uiPort });
    },
    answers: () => temporalAnswers(address),
    livesWith: {
      file: stateFile === undefined ? dataDir : path.join(dataDir, DB_FILE),
      signal: 'SIGKILL',
    },
  });
  closeFiles(dataDir);
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
