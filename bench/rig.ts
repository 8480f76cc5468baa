/** A real worker on its own Postgres and Temporal, for benchmarks and for recording histories. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { connect } from '../src/db/connect.ts';
import { type JobView, readJobView } from '../src/db/views/job-views.ts';
import { migrate } from '../src/db/migrate.ts';
import type { Db } from '../src/db/schema.ts';
import { planSteps } from '../src/domain/plan.ts';
import { ensureDatabases } from '../src/embedded/databases.ts';
import { freePort } from '../src/embedded/ports.ts';
import { startPostgres } from '../src/embedded/postgres.ts';
import { startTemporal } from '../src/embedded/temporal.ts';
import { bundleForWorker } from '../src/embedded/workflow-bundle.ts';
import { loadJobParams } from '../src/job-params/load.ts';
import { createLog, type Log } from '../src/log.ts';
import { endAllSteps } from '../src/runner/process/end-all.ts';
import { connectTemporal, type Temporal } from '../src/temporal/connect.ts';
import { startJob } from '../src/engine/start-job.ts';
import { ADMIN_PASSWORD, login } from '../test/support/login.ts';
import { type ParamsFile, paramsFile, writeParams } from '../test/support/params-files.ts';
import { createProductPart, type ProductPart } from '../test/support/product-part.ts';

export const ROOT = path.resolve(import.meta.dirname, '..');

/** Time limit for many jobs at once. */
const ALL_MS = 300_000;

/** Key that signs tokens, including report tokens. */
export const SECRET = 'a-secret-of-the-rig-long-enough-to-be-taken';

/** An api process, and a client that calls it as admin. */
export type Api = {
  readonly pid: number;
  readonly url: string;
  readonly token: string;
  /** @returns the answer's body. @throws Error for any answer but 2xx */
  readonly call: (method: string, route: string) => Promise<unknown>;
};

export type Rig = AsyncDisposable & {
  readonly dataDir: string;
  readonly databaseUrl: string;
  readonly db: Db;
  readonly temporal: Temporal;
  readonly log: Log;
  /** Starts a worker and waits until it polls. */
  startWorker(script?: string, environment?: Record<string, string>): Promise<ProductPart>;
  startApi(): Promise<Api>;
  /** Submits the job of a params file, as the api does; further actions become further steps, as in a diff. */
  submit(target: string, action: string, ...further: string[]): Promise<number>;
  until(id: number, status: string, timeoutMs?: number): Promise<JobView>;
};

/**
 * @param options.environment additional settings of api and worker
 * @param options.durable commits survive a crash, as under `npm start`; needed for realistic speed
 */
export async function startRig(options: {
  params: readonly ParamsFile[];
  durable: boolean;
  environment?: Readonly<Record<string, string>>;
}): Promise<Rig> {
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-rig-'));
  chmodSync(dataDir, 0o755);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const paramsDir = writeParams(dataDir, options.params.map(paramsFile));
  const { databaseUrl, db, temporal, temporalAddress } = await startServers(dataDir, options.durable, undo);
  undo.defer(async () => void (await endAllSteps(dataDir, 0)));
  const log = createLog({ name: 'rig', level: 'error' });
  const jobParams = await loadJobParams(paramsDir);
  const port = await freePort();
  const environment = {
    PORT: String(port),
    SYNCRATOR_ADMIN_PASSWORD: ADMIN_PASSWORD,
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporalAddress,
    SYNCRATOR_DATA: dataDir,
    SYNCRATOR_SECRET: SECRET,
    JOB_PARAMS: paramsDir,
    LOG_LEVEL: 'warn',
    ...options.environment,
  };
  const runner = options.environment?.['RUNNER'] === 'kubernetes' ? 'kubernetes' : 'process';
  const started = undo.move();
  const start = async (script: string, of: Record<string, string>) => {
    const part = createProductPart({ name: script, script, environment: of });
    started.defer(() => part.kill());
    await part.start();
    return part;
  };
  return {
    dataDir,
    databaseUrl,
    db,
    temporal,
    log,
    async startWorker(script = 'src/worker.ts', more = {}) {
      const bundle = path.join(dataDir, 'workflow-bundle.js');
      const bundled = await bundleForWorker(path.join(ROOT, 'src/workflow-bundle.ts'), bundle);
      return await start(script, { ...environment, ...bundled, ...more });
    },
    async startApi() {
      const { pid = 0 } = await start('src/server.ts', environment);
      return await apiAt(`http://127.0.0.1:${port}`, pid);
    },
    submit: async (target, action, ...further) =>
      await submitActions(
        { db, temporal, log },
        { jobParams, runner, target, actions: [action, ...further] },
      ),
    until: (id, status, timeoutMs = 60_000) => until(db, id, status, timeoutMs),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

async function startServers(dataDir: string, durable: boolean, undo: AsyncDisposableStack) {
  const postgres = await startPostgres({ dataDir, ephemeral: !durable });
  undo.defer(() => postgres.stop());
  const temporalServer = await startTemporal({ dataDir, inMemory: !durable });
  undo.defer(() => temporalServer.stop());
  await ensureDatabases(postgres.url('postgres'), ['syncrator']);
  const databaseUrl = postgres.url('syncrator');
  const db = connect(databaseUrl, { max: 5, applicationName: 'rig', onError: () => undefined });
  undo.defer(() => db.destroy());
  await migrate(db);
  const temporal = connectTemporal({ address: temporalServer.address, namespace: 'default' });
  undo.defer(() => temporal.close());
  return { databaseUrl, db, temporal, temporalAddress: temporalServer.address };
}

async function apiAt(url: string, pid: number): Promise<Api> {
  const token = await login(url);
  return {
    pid,
    url,
    token,
    async call(method, route) {
      const answer = await fetch(url + route, { method, headers: { authorization: `Bearer ${token}` } });
      if (!answer.ok) throw new Error(`${method} ${route}: ${answer.status} ${await answer.text()}`);
      return await answer.json();
    },
  };
}

async function submitActions(
  servers: Pick<Rig, 'db' | 'temporal' | 'log'>,
  of: {
    jobParams: Awaited<ReturnType<typeof loadJobParams>>;
    runner: 'kubernetes' | 'process';
    target: string;
    actions: readonly [string, ...string[]];
  },
): Promise<number> {
  const { jobParams, runner, target, actions } = of;
  const declared = (name: string) => {
    const file = jobParams.find({ env: 'dev', name: target, action: name });
    if (!file) throw new Error(`no params file for ${target} ${name}`);
    return file;
  };
  const steps = actions.flatMap((name) => {
    const plan = planSteps(declared(name).parameters, declared(name).defaults);
    if ('error' in plan) throw new Error(plan.error);
    return plan.steps;
  });
  const { parameters } = declared(actions[0]);
  const job = { env: 'dev', target, parameters, runner, steps, trigger: 'api', requestedBy: 'rig' } as const;
  const submitted = await startJob(servers, job);
  if (submitted.kind !== 'created') throw new Error(`${target} ${actions[0]}: ${submitted.kind}`);
  return submitted.job.id;
}

async function until(db: Db, id: number, status: string, timeoutMs: number): Promise<JobView> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const job = await readJobView(db, id);
    if (job?.status === status) return job;
    if (Date.now() > deadline) throw new Error(`job ${id} is ${job?.status}, not ${status}`);
    await wait(50);
  }
}

/**
 * Submits all of them at once.
 * @returns seconds from the first submit to the last end stored in Postgres
 */
export async function runAll(rig: Rig, targets: readonly string[]): Promise<number> {
  const began = Date.now();
  const ids = await Promise.all(targets.map((target) => rig.submit(target, 'sync')));
  const jobs = await allAre(rig, ids, 'completed');
  return (Math.max(...jobs.map((job) => job.finished_at?.getTime() ?? Number.NaN)) - began) / 1_000;
}

/**
 * Waits until the jobs have the status.
 * @throws Error as soon as one of them has failed or was deleted
 */
export async function allAre(rig: Rig, ids: readonly number[], status: 'completed' | 'running') {
  const deadline = Date.now() + ALL_MS;
  for (;;) {
    const jobs = await rig.db
      .selectFrom('jobs')
      .select(['id', 'status', 'diagnosis', 'finished_at'])
      .where('id', 'in', ids)
      .execute();
    const bad = jobs.find((job) => job.status === 'failed' || job.status === 'deleted');
    if (bad) throw new Error(`job ${bad.id} is ${bad.status}: ${JSON.stringify(bad.diagnosis)}`);
    if (jobs.every((job) => job.status === status)) return jobs;
    if (Date.now() > deadline) throw new Error(`not all jobs were ${status} within ${ALL_MS} ms`);
    await wait(100);
  }
}
