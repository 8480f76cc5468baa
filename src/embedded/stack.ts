/** Runs the stack of one `npm start`: starts every part in order, restarts crashed ones, and stops them in order. */
import path from 'node:path';
import { ensureSecret, openDataFolder } from './data-folder.ts';
import { type DataLock, lockDataFolder, type RunningPart } from './data-lock.ts';
import { writeDemoTarget } from './demo-target.ts';
import { changedPort, keepPort, keptPort } from './kept-port.ts';
import { keepRunning, type Part } from './part.ts';
import { endProcess } from './process-identity.ts';
import { type ServerStage, type Servers, startServers } from './servers.ts';
import { boundLogs } from './rotating-log.ts';
import { choosePorts, readStackSettings, portsOf, type StackPorts, urlAt } from './stack-settings.ts';
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
  /** Options of Node itself for a part, such as `--inspect`. */
  readonly nodeOptions?: { readonly [Part in 'api' | 'worker' | 'demo']?: readonly string[] };
  /** Ends the step processes, which outlive a worker on purpose; with `graceMs` 0, at once. */
  readonly stopSteps: (dataDir: string, graceMs?: number) => Promise<unknown>;
  readonly backoff?: { readonly firstMs: number; readonly maxMs: number };
};

export type StackUp = {
  readonly url: string;
  readonly dataDir: string;
  readonly servers: Servers;
  /** Set only on the very first start, and only if it was generated. */
  readonly adminPassword: string | undefined;
  /** The runner of steps, as the worker describes it. */
  readonly runner: string | undefined;
  /** Addresses of the metrics, each with the name of its process. */
  readonly metrics: readonly string[];
};

export type Stack = {
  /** @throws Error naming the part that did not start; the parts that did have then been stopped */
  start(): Promise<StackUp>;
  /** Stops worker, steps, api, demo source, Temporal, Postgres; true if all ended cleanly. Safe to repeat. */
  stop(): Promise<boolean>;
  /** Kills every process at once, in no order. */
  kill(): Promise<void>;
};

/** The children of a killed owner end when their IPC channel closes; these signals end the rest. */
const LEFT_OVER = [
  ['SIGTERM', 10_000],
  ['SIGKILL', 5_000],
] as const;

export function createStack(options: StackOptions): Stack {
  const stack = new LocalStack(options);
  return { start: () => stack.start(), stop: () => stack.stop(), kill: () => stack.kill() };
}

class LocalStack {
  readonly #options: StackOptions;
  readonly #stopping = new AbortController();
  readonly #parts = new Map<string, Part>();
  readonly #servers = new Map<string, ServerStage>();
  #dataDir = '';
  #lock: DataLock | undefined;
  #stopBoundingLogs = () => {};
  #starting: Promise<StackUp> | undefined;
  #stopped: Promise<boolean> | undefined;

  constructor(options: StackOptions) {
    this.#options = options;
  }

  async start(): Promise<StackUp> {
    this.#starting = this.#bringUp();
    try {
      return await this.#starting;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  stop(): Promise<boolean> {
    return (this.#stopped ??= this.#tearDown());
  }

  async kill(): Promise<void> {
    this.#stopping.abort(new Error('stopped by force'));
    for (const part of this.#parts.values()) part.kill();
    for (const server of this.#servers.values()) server.kill();
    if (this.#parts.has('worker')) await this.#options.stopSteps(this.#dataDir, 0);
  }

  async #bringUp(): Promise<StackUp> {
    const { env, scripts } = this.#options;
    const settings = readStackSettings(env);
    await this.#takeDataFolder(settings.dataDir);
    const dataDir = this.#dataDir;
    const ports = await choosePorts(settings);
    this.#boundServerLogs();
    const common = { ...env, NODE_ENV: env['NODE_ENV'] ?? 'development', SYNCRATOR_DATA: dataDir };

    // Parts that start early must not take the ports of later ones.
    const except = portsOf(ports);
    const demo = await this.#startDemo(common, except);
    const bundleFile = path.join(dataDir, 'workflow-bundle.js');
    const bundle = bundleForWorker(scripts.bundle, bundleFile, this.#stopping.signal);
    bundle.catch(() => undefined); // awaited below, before the worker starts
    const servers = await startServers({
      settings,
      dataDir,
      say: this.#options.say,
      signal: this.#stopping.signal,
      except: new Set([...except, demo.port]),
      onStarted: (kind, stage) => this.#servers.set(kind, stage),
    });
    await this.#writeDemoSettings(demo.part, servers);

    const url = urlAt(settings.host, ports.page);
    const secret = settings.secret ?? ensureSecret(dataDir);
    const partEnv = { ...common, ...connectionEnv(env, { url, port: ports.page, secret, servers }) };
    const bringWorker = async () =>
      this.#bringPart('worker', { ...partEnv, ...metricsEnv(ports, 'worker'), ...(await bundle) });
    const [{ adminPassword }, { runner }] = await Promise.all([
      this.#bringPart('api', { ...partEnv, ...metricsEnv(ports, 'api'), ...mallocSettings() }),
      bringWorker(),
    ]);
    return { url, dataDir, servers, adminPassword, runner, metrics: metricsAt(ports, settings.metricsHost) };
  }

  /** Opens and locks the data folder, and ends the processes that a killed owner left. */
  async #takeDataFolder(folder: string): Promise<void> {
    const { say } = this.#options;
    this.#dataDir = openDataFolder(folder);
    this.#lock = lockDataFolder(this.#dataDir);
    for (const part of this.#lock.leftOver) {
      say(`ending the ${part.name} of an npm start that was killed (pid ${part.pid})`);
      await endProcess(part.name, part, LEFT_OVER);
    }
  }

  #boundServerLogs(): void {
    const { say } = this.#options;
    say(`data folder ${this.#dataDir}`);
    this.#stopBoundingLogs = boundLogs(
      ['postgres', 'temporal'].map((server) => path.join(this.#dataDir, 'logs', `${server}.log`)),
      (error) => say(`cannot rotate a log: ${error.message}`),
    );
  }

  async #startDemo(common: NodeJS.ProcessEnv, except: ReadonlySet<number>) {
    const dataDir = this.#dataDir;
    const kept = await keptPort({ dataDir, server: 'demo', except });
    if (kept.before !== undefined) this.#options.say(changedPort('demo source', kept));
    keepPort(dataDir, 'demo', kept.port);
    const part = this.#launch('demo', { ...common, DEMO_PORT: String(kept.port) });
    part.ready.catch(() => undefined); // awaited after the servers are up
    return { part, port: kept.port };
  }

  async #writeDemoSettings(demo: Part, { demoUrl: sinkUrl }: Servers): Promise<void> {
    const { url: sourceUrl } = await demo.ready;
    if (sourceUrl === undefined) throw new Error('the demo source started without reporting its url');
    const written = writeDemoTarget(this.#dataDir, { sourceUrl, sinkUrl });
    const note = written ? '' : ' (you edited envtarget/dev-cities.env, so it was left as it is)';
    this.#options.say(`demo source: ${sourceUrl}${note}`);
  }

  async #bringPart(name: 'api' | 'worker', partEnv: NodeJS.ProcessEnv) {
    const message = await this.#launch(name, partEnv).ready;
    this.#options.say(`${name} is up`);
    return message;
  }

  #launch(name: 'api' | 'worker' | 'demo', partEnv: NodeJS.ProcessEnv): Part {
    this.#stopping.signal.throwIfAborted();
    const part = keepRunning({
      name,
      script: this.#options.scripts[name],
      nodeOptions: this.#options.nodeOptions?.[name],
      env: partEnv,
      logFile: path.join(this.#dataDir, 'logs', `${name}.log`),
      say: this.#options.say,
      limits: { readyMs: 60_000, stopMs: 15_000 },
      backoff: this.#options.backoff ?? { firstMs: 1_000, maxMs: 30_000 },
      onChange: () => this.#recordParts(),
    });
    this.#parts.set(name, part);
    this.#recordParts();
    return part;
  }

  #recordParts(): void {
    const running: RunningPart[] = [];
    for (const part of this.#parts.values()) {
      const identity = part.current();
      if (identity !== undefined) running.push({ name: part.name, ...identity });
    }
    this.#lock?.record(running);
  }

  async #tearDown(): Promise<boolean> {
    const { say, stopSteps } = this.#options;
    this.#stopping.abort(new Error('stopped while starting'));
    const stage = (name: string): Stage[] => {
      const part = this.#parts.get(name);
      return part === undefined ? [] : [{ name, stop: () => part.stop() }];
    };
    const steps = { name: 'steps', stop: async () => void (await stopSteps(this.#dataDir)) };
    const own = [
      ...stage('worker'),
      ...(this.#parts.has('worker') ? [steps] : []),
      ...stage('api'),
      ...stage('demo'),
    ];
    const ended = await stopInOrder(own, say);
    // Servers that are still starting are known only after the start has failed.
    await this.#starting?.catch(() => undefined);
    const rest = ['temporal', 'postgres']
      .map((kind) => this.#servers.get(kind))
      .filter((entry) => entry !== undefined);
    const clean = await stopInOrder(rest, say);
    this.#stopBoundingLogs();
    this.#lock?.release();
    return ended && clean;
  }
}

/** Environment of api and worker: addresses, and the secret that they share. */
function connectionEnv(
  env: NodeJS.ProcessEnv,
  of: { url: string; port: number; secret: string; servers: Servers },
): NodeJS.ProcessEnv {
  const { url, port, secret, servers } = of;
  return {
    PORT: String(port),
    DATABASE_URL: servers.databaseUrl,
    TEMPORAL_ADDRESS: servers.temporalAddress,
    SYNCRATOR_SECRET: secret,
    SYNCRATOR_REPORT_BASE_URL: env['SYNCRATOR_REPORT_BASE_URL'] ?? url,
    ...(servers.temporalUiUrl === undefined ? {} : { TEMPORAL_UI_URL: servers.temporalUiUrl }),
  };
}

function metricsEnv({ metrics, temporalMetrics }: StackPorts, part: 'api' | 'worker'): NodeJS.ProcessEnv {
  return {
    ...(metrics && { METRICS_PORT: String(metrics[part]) }),
    ...(temporalMetrics !== undefined && { TEMPORAL_METRICS_PORT: String(temporalMetrics) }),
  };
}

function metricsAt({ metrics, temporalMetrics }: StackPorts, host: string): string[] {
  const at = (whose: string, port: number) => `${whose} ${urlAt(host, port)}/metrics`;
  return [
    ...(metrics ? [at('api', metrics.api), at('worker', metrics.worker)] : []),
    ...(temporalMetrics === undefined ? [] : [at("the worker's Temporal SDK", temporalMetrics)]),
  ];
}
