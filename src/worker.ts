/** Composition root of the worker: three Temporal workers (short, watching and telling) and the reconciler. */
import './small-heap.ts';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createActivities } from '../activities/index.ts';
import { jobLines } from '../activities/job-lines.ts';
import { type Config, readConfig } from './config.ts';
import { connect } from './db/connect.ts';
import { readInstallation } from './db/migrate.ts';
import { NEWER_DATABASE, prepareSchema } from './db/upgrade.ts';
import { NOTIFY_TASK_QUEUE, TASK_QUEUE, WATCH_TASK_QUEUE } from './domain/workflow.ts';
import { loadJobParams } from './job-params.ts';
import { createLog, type Log } from './log.ts';
import { createWorkerMetrics } from './metrics/worker-metrics.ts';
import { serveMetrics } from './metrics/serve.ts';
import { loadReceivers, type Receiver, receiversOf } from './notifications/receivers.ts';
import type { OnCall } from './runner/kubernetes/client.ts';
import { retentionLoop } from './retention.ts';
import { createProcessRunner } from './runner/process/process-runner.ts';
import type { Runner } from './runner/runner.ts';
import { connectTemporal } from './temporal/connect.ts';
import { type NoticeDeps, noticeLoop } from './temporal/notices.ts';
import { reconcileLoop } from './temporal/reconcile.ts';
import { ensureSearchAttributes } from './temporal/search-attributes.ts';
import { wantedLoop } from './temporal/wanted.ts';

/** Deliveries at once: of a receiver that answers hundreds in a second; of one that is silent, two in a second. */
const NOTIFY_SLOTS = 20;

/** Tests wrap the runner to stop a worker at a given point; nothing else is replaceable. */
export type WorkerOptions = { readonly wrapRunner?: (runner: Runner) => Runner };

/** Runs until the signal aborts, then drains: no step is touched by it. */
export async function runWorker(
  config: Config,
  signal: AbortSignal,
  options: WorkerOptions = {},
): Promise<void> {
  const log = createLog({ name: 'worker', level: config.logLevel });
  const params = await loadJobParams(config.jobParamsDir);
  const receivers = await loadReceivers(config.notificationsFile);
  const db = connect(config.databaseUrl, {
    max: 20,
    applicationName: 'syncrator-worker',
    onError: (error) => log.warn({ err: error }, 'an idle database connection was lost'),
  });
  const temporal = connectTemporal(config.temporal);
  const installation = await untilItWorks(log, 'Postgres', signal, async () => {
    const { newer } = await prepareSchema(db, config.databaseUrl, (what) =>
      log.warn(`${what}: somebody works there; trying again`),
    );
    if (newer.length > 0) log.warn({ newer }, NEWER_DATABASE);
    return await readInstallation(db);
  });
  await untilItWorks(log, 'Temporal', signal, () => ensureSearchAttributes(temporal));
  const connection = await untilItWorks(log, 'Temporal', signal, () =>
    NativeConnection.connect({ address: config.temporal.address, ...config.temporal.security }),
  );
  const metrics = config.metrics && createWorkerMetrics();
  await using _metrics =
    config.metrics && metrics && (await serveMetrics(config.metrics, metrics.scrape, log));
  const own = await createRunner(config, { installation, log, signal, onCall: metrics?.called });
  const runner = options.wrapRunner?.(own) ?? own;
  const activities = createActivities({
    db,
    runner,
    temporal,
    params,
    installation,
    defaults: config,
    receivers,
    publicUrl: config.publicUrl,
    secrets: config.secrets,
    reportBaseUrl: config.reportBaseUrl,
    logLimit: config.logLimit,
  });
  const shared = {
    connection,
    namespace: config.temporal.namespace,
    activities,
    shutdownGraceTime: '2 seconds' as const,
    interceptors: { activity: [jobLines] },
  };
  const workers = await Promise.all([
    Worker.create({
      ...shared,
      taskQueue: TASK_QUEUE,
      ...(config.workflowBundle === undefined
        ? { workflowsPath: fileURLToPath(new URL('../workflows/index.ts', import.meta.url)) }
        : { workflowBundle: { codePath: config.workflowBundle } }),
      maxCachedWorkflows: 200,
      // A dead worker's workflows are handed on this long after.
      stickyQueueScheduleToStartTimeout: '3 seconds',
    }),
    Worker.create({ ...shared, taskQueue: WATCH_TASK_QUEUE, maxConcurrentActivityTaskExecutions: 2_000 }),
    // Also where NOTIFICATIONS_FILE names nobody (any more): who was to be told then is given up, and not left open.
    Worker.create({
      ...shared,
      taskQueue: NOTIFY_TASK_QUEUE,
      maxConcurrentActivityTaskExecutions: NOTIFY_SLOTS,
      maxConcurrentActivityTaskPolls: 2, // nobody is in a hurry, and each poll is a call that stays open
    }),
  ]);
  const stop = () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  signal.addEventListener('abort', stop, { once: true });
  const running = Promise.all(workers.map((worker) => worker.run()));
  if (signal.aborted) stop(); // it came while we were starting
  process.send?.({ ready: true, runner: own.where });
  log.info({ installation, runner: config.runner, where: own.where }, 'worker is ready');
  try {
    const reconcile = { db, temporal, runner, params, installation, log, onOrphan: metrics?.orphanFound };
    const onPass = () => {
      touch(config.healthFile, log);
      metrics?.passed();
    };
    await Promise.all([
      running,
      reconcileLoop(reconcile, signal, onPass),
      wantedLoop({ db, temporal, params, defaults: config, log }, signal),
      retentionLoop({ db, log, keep: config.keep }, signal),
      noticeLoop({ db, temporal, params, installation, receiversOf: wantedBy(receivers), log }, signal),
    ]);
  } finally {
    signal.removeEventListener('abort', stop);
    await connection.close();
    await temporal.close();
    await db.destroy();
  }
}

function wantedBy(receivers: readonly Receiver[]): NoticeDeps['receiversOf'] {
  return (notice) => receiversOf(receivers, notice).map(({ name }) => name);
}

/** For a container's health check: the file is as old as the last pass of the reconciler. */
function touch(file: string | undefined, log: Log): void {
  if (file === undefined) return;
  try {
    writeFileSync(file, '');
  } catch (error) {
    log.warn({ err: error }, 'HEALTH_FILE cannot be written');
  }
}

type RunnerContext = { installation: string; log: Log; signal: AbortSignal; onCall: OnCall | undefined };

/** @throws Error when there is no cluster to be used, or the account lacks a right */
async function createRunner(
  config: Config,
  { installation, log, signal, onCall }: RunnerContext,
): Promise<Runner & { where: string }> {
  if (config.runner === 'process')
    return {
      ...createProcessRunner({ dataDir: config.dataDir, installation }),
      where: 'processes of this machine',
    };
  // Loaded only where it is used: the library takes some 80 MB.
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
  if (hostname === '127.0.0.1' || hostname === 'localhost')
    log.warn(
      `pods are told to report to ${config.reportBaseUrl}, which only this machine reaches: set SYNCRATOR_REPORT_BASE_URL to the api's address as pods reach it`,
    );
  return runner;
}

/** Tries until it works or the signal aborts, telling each time what is waited for. */
async function untilItWorks<T>(
  log: Log,
  what: string,
  signal: AbortSignal,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let delayMs = 250; ; delayMs = Math.min(delayMs * 2, 5_000)) {
    try {
      return await attempt();
    } catch (error) {
      log.warn({ err: error }, `${what} is not to be had; trying again in ${delayMs} ms`);
      await wait(delayMs, undefined, { signal });
    }
  }
}

/**
 * The SDK's own lines as ours, without the one it has for a worker that only watches. What activities tell comes
 * through it too, and is no detail.
 */
function sdkLogger(log: Log): DefaultLogger {
  return new DefaultLogger('INFO', ({ level, message, meta }) => {
    if (message.startsWith('No workflows registered')) return;
    const lower = { TRACE: 'trace', DEBUG: 'debug', INFO: 'debug', WARN: 'warn', ERROR: 'error' } as const;
    const { taskToken: _, sdkComponent: from, error, ...fields } = (meta ?? {}) as Record<string, unknown>;
    const name = level === 'INFO' && from === 'activity' ? 'info' : lower[level];
    log[name]({ ...fields, ...(error === undefined ? {} : { err: error }) }, message);
  });
}

/** Works until SIGTERM or SIGINT, and ends the process. */
export async function runWorkerProcess(): Promise<never> {
  const abort = new AbortController();
  for (const event of ['SIGTERM', 'SIGINT', 'disconnect'] as const) process.on(event, () => abort.abort());
  try {
    const config = readConfig();
    Runtime.install({
      shutdownSignals: [],
      logger: sdkLogger(createLog({ name: 'sdk', level: config.logLevel })),
      ...(config.temporalMetrics === undefined
        ? {}
        : { telemetryOptions: { metrics: { prometheus: { bindAddress: config.temporalMetrics } } } }),
    });
    await runWorker(config, abort.signal);
  } catch (error) {
    if (!abort.signal.aborted) {
      process.stderr.write(`worker: ${error instanceof Error ? error.message : String(error)}\n`);
      return process.exit(1);
    }
  }
  return process.exit(0);
}

if (import.meta.main) await runWorkerProcess();
