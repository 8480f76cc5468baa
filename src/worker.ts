/**
 * Composition root of the worker: three Temporal workers (short activities, watches, notifications) and the
 * reconciler.
 */
import './v8-flags.ts';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createActivities } from '../activities/index.ts';
import { logContextInterceptor } from '../activities/log-context.ts';
import { faultOfNamedTargets } from './api/compat/declared-targets.ts';
import { type Config, readConfig } from './config/config.ts';
import { connect, lastingFault } from './db/connect.ts';
import { readInstallation } from './db/migrate.ts';
import { NEWER_DATABASE, prepareSchema } from './db/upgrade.ts';
import { NOTIFY_TASK_QUEUE, RUN_JOB, TASK_QUEUE, WATCH_TASK_QUEUE } from './domain/workflow.ts';
import { endingWords, reasonsOf } from './exit-message.ts';
import { createLog, type Log } from './log.ts';
import { createWorkerMetrics } from './metrics/worker-metrics.ts';
import { serveMetrics } from './metrics/serve.ts';
import { loadReceivers, type Receiver, receiversOf } from './notifications/receivers.ts';
import type { JobParams } from './job-params/load.ts';
import type { OnCall } from './runner/kubernetes/apiserver/client.ts';
import { followParams, openParams } from './engine/follow-params.ts';
import { retentionLoop } from './engine/retention.ts';
import { createProcessRunner } from './runner/process/process-runner.ts';
import { separatePrograms } from './runner/process/program-users.ts';
import type { Runner } from './runner/runner.ts';
import { connectTemporal } from './temporal/connect.ts';
import { type NotificationDeps, notificationLoop } from './engine/notifications.ts';
import { reconcileLoop } from './engine/reconcile.ts';
import { createSearchAttributes } from './temporal/search-attributes.ts';
import { Waker } from './engine/waker.ts';
import { debounceLoop } from './engine/debounced-starts.ts';

/** Concurrent deliveries: hundreds a second to a fast receiver, two a second to one that never answers. */
const NOTIFY_SLOTS = 20;

/** Tests wrap the runner to stop a worker at a given point; nothing else is replaceable. */
export type WorkerOptions = { readonly wrapRunner?: (runner: Runner) => Runner };

/** Runs until the signal aborts, then stops without touching any step. */
export async function runWorker(
  config: Config,
  signal: AbortSignal,
  options: WorkerOptions = {},
): Promise<void> {
  const log = createLog({ name: 'worker', level: config.logLevel });
  const liveParams = await openParams(config.jobParamsDir, log, (read) => faultOfNamedTargets(config, read));
  const { params } = liveParams;
  warnOfUnusedLimits(config, params, log);
  const following = followParams(liveParams, log, signal);
  const receivers = await loadReceivers(config.notificationsFile);
  const db = connect(config.databaseUrl, {
    max: 20,
    applicationName: 'syncrator-worker',
    onError: (error) => log.warn({ err: error }, 'lost an idle connection to Postgres'),
  });
  const temporal = connectTemporal(config.temporal);
  const prepare = async () => {
    const { newer } = await prepareSchema(db, config.databaseUrl, (what) =>
      log.warn(`${what}: waiting for a table lock; retrying`),
    );
    if (newer.length > 0) log.warn({ newer }, NEWER_DATABASE);
    return await readInstallation(db);
  };
  const lasts = (error: unknown) => lastingFault(error) !== undefined;
  const installation = await untilItWorks(log, 'Postgres', signal, prepare, lasts);
  const searchAttributes = createSearchAttributes(temporal, log);
  await untilItWorks(log, 'Temporal', signal, () => searchAttributes.ensure());
  const connection = await untilItWorks(log, 'Temporal', signal, () =>
    NativeConnection.connect({ address: config.temporal.address, ...config.temporal.security }),
  );
  const metrics = config.metrics && createWorkerMetrics(params);
  await using _metrics =
    config.metrics && metrics && (await serveMetrics(config.metrics, metrics.scrape, log));
  const own = await createRunner(config, { installation, log, signal, onCall: metrics?.called });
  const runner = options.wrapRunner?.(own) ?? own;
  const activities = createActivities({
    db,
    runner,
    temporal,
    searchAttributes,
    params,
    installation,
    defaults: config,
    receivers,
    publicUrl: config.publicUrl,
    secrets: config.secrets,
    reportBaseUrl: config.reportBaseUrl,
    logLimit: config.logLimit,
    sourceLimits: config.sourceLimits,
  });
  const shared = {
    connection,
    namespace: config.temporal.namespace,
    activities,
    shutdownGraceTime: '2 seconds' as const,
    interceptors: { activity: [logContextInterceptor] },
  };
  const workers = await Promise.all([
    Worker.create({
      ...shared,
      taskQueue: TASK_QUEUE,
      ...(config.workflowBundle === undefined
        ? { workflowsPath: fileURLToPath(new URL('../workflows/index.ts', import.meta.url)) }
        : { workflowBundle: { codePath: config.workflowBundle } }),
      maxCachedWorkflows: 200,
      // Another worker takes over a dead worker's workflows after this time.
      stickyQueueScheduleToStartTimeout: '3 seconds',
    }),
    Worker.create({ ...shared, taskQueue: WATCH_TASK_QUEUE, maxConcurrentActivityTaskExecutions: 2_000 }),
    // Runs without receivers too: notifications of a removed receiver then end instead of staying open.
    Worker.create({
      ...shared,
      taskQueue: NOTIFY_TASK_QUEUE,
      maxConcurrentActivityTaskExecutions: NOTIFY_SLOTS,
      maxConcurrentActivityTaskPolls: 2, // not urgent, and each poll is an open call
    }),
  ]);
  const stop = () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  signal.addEventListener('abort', stop, { once: true });
  const running = Promise.all(workers.map((worker) => worker.run()));
  if (signal.aborted) stop(); // aborted during the start
  process.send?.({ ready: true, runner: own.where });
  log.info({ installation, runner: config.runner, where: own.where }, 'worker is ready');
  try {
    const waker = new Waker();
    // Schedules follow the params files.
    liveParams.onNews(() => waker.wake());
    const reconcile = {
      waker,
      db,
      temporal,
      searchAttributes,
      runner,
      params,
      sourceLimits: config.sourceLimits,
      installation,
      log,
      onOrphan: metrics?.orphanFound,
    };
    const onPass = () => {
      touch(config.healthFile, log);
      metrics?.passed();
    };
    await Promise.all([
      running,
      following,
      reconcileLoop(reconcile, signal, onPass),
      debounceLoop({ db, temporal, params, defaults: config, log }, signal),
      retentionLoop({ db, log, keep: config.keep }, signal),
      notificationLoop({ db, temporal, params, installation, receiversOf: wantedBy(receivers), log }, signal),
    ]);
  } finally {
    signal.removeEventListener('abort', stop);
    await connection.close();
    await temporal.close();
    await db.destroy();
  }
}

/** A misspelt source would have no limit. */
function warnOfUnusedLimits({ sourceLimits }: Config, params: JobParams, log: Log): void {
  const known = new Set(params.files.map(({ conflicts }) => conflicts.sourceName));
  for (const source of sourceLimits.keys())
    if (!known.has(source))
      log.warn({ source }, 'SOURCE_LIMIT limits a source that no params file names as its SOURCE_NAME');
}

function wantedBy(receivers: readonly Receiver[]): NotificationDeps['receiversOf'] {
  return (notice) => receiversOf(receivers, notice).map(({ name }) => name);
}

/** Touches the file of a container's health check: its age is that of the reconciler's last pass. */
function touch(file: string | undefined, log: Log): void {
  if (file === undefined) return;
  try {
    writeFileSync(file, '');
  } catch (error) {
    log.warn({ err: error }, 'HEALTH_FILE cannot be written');
  }
}

/** `where` tells whether programs have their own users, and if not, why. */
async function openProcessRunner(config: Config, installation: string): Promise<Runner & { where: string }> {
  const { dataDir, logLimit } = config;
  const separation =
    config.programUser === 'own' ? await separatePrograms(dataDir) : { why: 'PROGRAM_USER=worker' };
  const [users, whose] =
    'users' in separation
      ? [separation.users, 'each target as its own user']
      : [undefined, `as the worker's own user, with all its rights: ${separation.why}`];
  return {
    ...createProcessRunner({ dataDir, installation, logLimit, users }),
    where: `processes of this machine, ${whose}`,
  };
}

type RunnerContext = { installation: string; log: Log; signal: AbortSignal; onCall: OnCall | undefined };

/** @throws Error if no cluster is configured, or the account lacks a right */
async function createRunner(
  config: Config,
  { installation, log, signal, onCall }: RunnerContext,
): Promise<Runner & { where: string }> {
  if (config.runner === 'process') return await openProcessRunner(config, installation);
  // Loaded only if it is used: the library takes some 80 MB.
  const { openKubernetesRunner } = await import('./runner/kubernetes/open.ts');
  const runner = await openKubernetesRunner({
    cluster: config.kubernetes,
    installation,
    podOverrides: config.kubernetes.podOverrides,
    onCall,
    onTrouble: (what, error) => log.warn({ err: error }, what),
    signal,
  });
  const { hostname } = new URL(config.reportBaseUrl);
  if (['127.0.0.1', '[::1]', 'localhost'].includes(hostname))
    log.warn(
      `pods report to ${config.reportBaseUrl}, which only this machine reaches; set SYNCRATOR_REPORT_BASE_URL to the api's address as pods reach it`,
    );
  return runner;
}

/** Retries until `attempt` succeeds or the signal aborts, and logs each failure. Rethrows an error that `isLasting`. */
async function untilItWorks<T>(
  log: Log,
  what: string,
  signal: AbortSignal,
  attempt: () => Promise<T>,
  isLasting: (error: unknown) => boolean = () => false,
): Promise<T> {
  for (let delayMs = 250; ; delayMs = Math.min(delayMs * 2, 5_000)) {
    try {
      return await attempt();
    } catch (error) {
      if (isLasting(error)) throw error;
      log.warn(`cannot reach ${what} (${reasonsOf(error)}); retrying in ${delayMs} ms`);
      log.debug({ err: error }, what);
      await wait(delayMs, undefined, { signal });
    }
  }
}

/**
 * Passes on the SDK's log lines, except the one about a worker without workflows, which only watches. Lines of
 * activities come through it, too, and keep their level.
 */
function sdkLogger(log: Log): DefaultLogger {
  return new DefaultLogger('INFO', ({ level, message, meta }) => {
    if (message.startsWith('No workflows registered')) return;
    const lower = { TRACE: 'trace', DEBUG: 'debug', INFO: 'debug', WARN: 'warn', ERROR: 'error' } as const;
    const { taskToken: _, sdkComponent: from, error, ...fields } = (meta ?? {}) as Record<string, unknown>;
    // The job failed, which `job ended` reports; our own faults have their own line (workflows/).
    if (message === 'Workflow failed' && fields['workflowType'] === RUN_JOB)
      return log.debug({ ...fields, failure: error instanceof Error ? error.message : error }, message);
    const name = level === 'INFO' && from === 'activity' ? 'info' : lower[level];
    log[name]({ ...fields, ...(error === undefined ? {} : { err: error }) }, message);
  });
}

/** @throws Error naming TEMPORAL_METRICS_PORT when the SDK cannot listen there */
function installRuntime({ logLevel, temporalMetrics }: Config): void {
  const options = { shutdownSignals: [], logger: sdkLogger(createLog({ name: 'sdk', level: logLevel })) };
  if (temporalMetrics === undefined) return void Runtime.install(options);
  try {
    const prometheus = { bindAddress: temporalMetrics };
    Runtime.install({ ...options, telemetryOptions: { metrics: { prometheus } } });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`cannot listen on ${temporalMetrics} (TEMPORAL_METRICS_PORT): ${why}`, { cause });
  }
}

/** Works until SIGTERM or SIGINT, and ends the process. */
export async function runWorkerProcess(): Promise<never> {
  const abort = new AbortController();
  for (const event of ['SIGTERM', 'SIGINT', 'disconnect'] as const) process.on(event, () => abort.abort());
  let log: Log | undefined;
  try {
    const config = readConfig();
    log = createLog({ name: 'worker', level: config.logLevel });
    installRuntime(config);
    await runWorker(config, abort.signal);
  } catch (error) {
    if (!abort.signal.aborted) {
      // Without settings there is no log yet; their error is the whole message.
      const words = log === undefined ? reasonsOf(error) : endingWords(log, error);
      process.stderr.write(`worker: ${words}\n`);
      return process.exit(1);
    }
  }
  return process.exit(0);
}

if (import.meta.main) await runWorkerProcess();
