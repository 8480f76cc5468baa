/** The whole of one `npm start`: brings every part up in order, keeps it up, and ends it in order. */
import path from 'node:path';
import { ensureSecret, openDataFolder } from './data-folder.ts';
import { type DataLock, lockDataFolder, type RunningPart } from './data-lock.ts';
import { writeDemoTarget } from './demo-target.ts';
import { keepRunning, type Part } from './part.ts';
import { endProcess } from './process-identity.ts';
import { type ServerStage, type Servers, startServers } from './servers.ts';
import { choosePort, readStackSettings } from './stack-settings.ts';
import { type Stage, stopInOrder } from './stop-order.ts';
import { mallocSettings } from './malloc.ts';
import { bundleForWorker } from './workflow-bundle.ts';

export type StackOptions = {
  readonly env: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
  readonly scripts: {
    readonly api: string;
    readonly worker: string;
    readonly demo: string;
    readonly bundle: string;
  };
  /** Ends the step processes that outlive a worker on purpose; with `graceMs` 0, at once. */
  readonly stopSteps: (dataDir: string, graceMs?: number) => Promise<unknown>;
  readonly backoff?: { readonly firstMs: number; readonly maxMs: number };
};

export type StackUp = {
  readonly url: string;
  readonly dataDir: string;
  readonly servers: Servers;
  /** Only on the very first start, and only if it was generated. */
  readonly adminPassword: string | undefined;
  /** What steps run on, in the worker's words. */
  readonly runner: string | undefined;
};

export type Stack = {
  /** @throws Error with what kept it from starting; what did start has then been stopped */
  start(): Promise<StackUp>;
  /** Worker, steps, api, demo source, Temporal, Postgres; true when all went by the book. Safe to repeat. */
  stop(): Promise<boolean>;
  /** Ends every process at once, without order or manners. */
  kill(): Promise<void>;
};

/** A killed owner's children end by themselves when the IPC channel closes; this is the net under that. */
const LEFT_OVER = [
  ['SIGTERM', 10_000],
  ['SIGKILL', 5_000],
] as const;

export function createStack(options: StackOptions): Stack {
  const { env, say } = options;
  const stopping = new AbortController();
  const parts = new Map<string, Part>();
  const servers = new Map<string, ServerStage>();
  let dataDir = '';
  let lock: DataLock | undefined;
  let starting: Promise<StackUp> | undefined;
  let stopped: Promise<boolean> | undefined;

  function launch(name: 'api' | 'worker' | 'demo', partEnv: NodeJS.ProcessEnv): Part {
    stopping.signal.throwIfAborted();
    const part = keepRunning({
      name,
      script: options.scripts[name],
      env: partEnv,
      logFile: path.join(dataDir, 'logs', `${name}.log`),
      say,
      limits: { readyMs: 60_000, stopMs: 15_000 },
      backoff: options.backoff ?? { firstMs: 1_000, maxMs: 30_000 },
      onChange: recordParts,
    });
    parts.set(name, part);
    recordParts();
    return part;
  }

  function recordParts(): void {
    const running: RunningPart[] = [];
    for (const part of parts.values()) {
      const identity = part.current();
      if (identity !== undefined) running.push({ name: part.name, ...identity });
    }
    lock?.record(running);
  }

  async function bringUp(): Promise<StackUp> {
    const settings = readStackSettings(env);
    dataDir = openDataFolder(settings.dataDir);
    lock = lockDataFolder(dataDir);
    for (const part of lock.leftOver) {
      say(`ending the ${part.name} of an npm start that was killed (pid ${part.pid})`);
      await endProcess(part.name, part, LEFT_OVER);
    }
    const port = await choosePort(settings);
    say(`data folder ${dataDir}`);
    const common = { ...env, NODE_ENV: env['NODE_ENV'] ?? 'development', SYNCRATOR_DATA: dataDir };

    const demo = launch('demo', common);
    demo.ready.catch(() => undefined); // looked at below, after the servers
    const bundle = bundleForWorker(
      options.scripts.bundle,
      path.join(dataDir, 'workflow-bundle.js'),
      stopping.signal,
    );
    bundle.catch(() => undefined); // likewise
    const up = await startServers({
      settings,
      dataDir,
      say,
      signal: stopping.signal,
      onStarted: (kind, stage) => servers.set(kind, stage),
    });
    const source = await demo.ready;
    if (source.url === undefined) throw new Error('the demo source sent no url');
    const written = writeDemoTarget(dataDir, { sourceUrl: source.url, sinkUrl: up.demoUrl });
    say(
      `demo source: ${source.url}${written ? '' : ' (envtarget/dev-cities.env is yours and was left alone)'}`,
    );

    const url = `http://127.0.0.1:${port}`;
    const partEnv: NodeJS.ProcessEnv = {
      ...common,
      PORT: String(port),
      DATABASE_URL: up.databaseUrl,
      TEMPORAL_ADDRESS: up.temporalAddress,
      SYNCRATOR_SECRET: settings.secret ?? ensureSecret(dataDir),
      SYNCRATOR_REPORT_BASE_URL: env['SYNCRATOR_REPORT_BASE_URL'] ?? url,
      ...(up.temporalUiUrl === undefined ? {} : { TEMPORAL_UI_URL: up.temporalUiUrl }),
    };
    const bringWorker = async () => bringPart('worker', { ...partEnv, ...(await bundle) });
    const [api, worker] = await Promise.all([
      bringPart('api', { ...partEnv, ...mallocSettings() }),
      bringWorker(),
    ]);
    const { adminPassword } = api;
    return { url, dataDir, servers: up, adminPassword, runner: worker.runner };
  }

  async function bringPart(name: 'api' | 'worker', partEnv: NodeJS.ProcessEnv) {
    const message = await launch(name, partEnv).ready;
    say(`${name} is up`);
    return message;
  }

  async function tearDown(): Promise<boolean> {
    stopping.abort(new Error('stopped while starting'));
    const stage = (name: string): Stage[] => {
      const part = parts.get(name);
      return part === undefined ? [] : [{ name, stop: () => part.stop() }];
    };
    const own = [
      ...stage('worker'),
      ...(parts.has('worker')
        ? [{ name: 'steps', stop: async () => void (await options.stopSteps(dataDir)) }]
        : []),
      ...stage('api'),
      ...stage('demo'),
    ];
    const ended = await stopInOrder(own, say);
    // Servers on their way up are only known when the start has given up.
    await starting?.catch(() => undefined);
    const rest = ['temporal', 'postgres']
      .map((kind) => servers.get(kind))
      .filter((entry) => entry !== undefined);
    const clean = await stopInOrder(rest, say);
    lock?.release();
    return ended && clean;
  }

  const stop = () => (stopped ??= tearDown());
  return {
    async start() {
      starting = bringUp();
      try {
        return await starting;
      } catch (error) {
        await stop();
        throw error;
      }
    },
    stop,
    async kill() {
      stopping.abort(new Error('stopped by force'));
      for (const part of parts.values()) part.kill();
      for (const server of servers.values()) server.kill();
      if (parts.has('worker')) await options.stopSteps(dataDir, 0);
    },
  };
}
