/** The product's worker on a Postgres and a Temporal of its own, for measuring and for recording histories. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { connect } from '../src/db/connect.ts';
import { type JobView, readJobView } from '../src/db/job-views.ts';
import { migrate } from '../src/db/migrate.ts';
import type { Db } from '../src/db/schema.ts';
import { planSteps } from '../src/domain/plan.ts';
import { ensureDatabases } from '../src/embedded/databases.ts';
import { freePort } from '../src/embedded/ports.ts';
import { startPostgres } from '../src/embedded/postgres.ts';
import { startTemporal } from '../src/embedded/temporal.ts';
import { bundleForWorker } from '../src/embedded/workflow-bundle.ts';
import { loadJobParams } from '../src/job-params.ts';
import { createLog, type Log } from '../src/log.ts';
import { endAllSteps } from '../src/runner/process/end-all.ts';
import { connectTemporal, type Temporal } from '../src/temporal/connect.ts';
import { submit } from '../src/temporal/submit.ts';
import { ADMIN_PASSWORD, login } from '../test/support/login.ts';
import { type ParamsFile, paramsFile, writeParams } from '../test/support/params-files.ts';
import { createProductPart, type ProductPart } from '../test/support/product-part.ts';

export const ROOT = path.resolve(import.meta.dirname, '..');

/** What many jobs at once are waited for. */
const ALL_MS = 300_000;

/** What tokens are signed with, those of reports too. */
export const SECRET = 'a-secret-of-the-rig-long-enough-to-be-taken';

/** An api process, and what one needs to call it as admin. */
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
  /** Submits what a params file says, as the api does; further actions become further steps, as in a diff. */
  submit(target: string, action: string, ...further: string[]): Promise<number>;
  until(id: number, status: string, timeoutMs?: number): Promise<JobView>;
};

/**
 * @param options.environment further settings of api and worker
 * @param options.durable keeps what is committed over a crash, as `npm start` does; tests of speed want that
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
  const postgres = await startPostgres({ dataDir, ephemeral: !options.durable });
  undo.defer(() => postgres.stop());
  const temporalServer = await startTemporal({ dataDir, inMemory: !options.durable });
  undo.defer(() => temporalServer.stop());
  await ensureDatabases(postgres.url('postgres'), ['syncrator']);
  const databaseUrl = postgres.url('syncrator');
  const db = connect(databaseUrl, { max: 5, applicationName: 'rig', onError: () => undefined });
  undo.defer(() => db.destroy());
  await migrate(db);
  const temporal = connectTemporal({ address: temporalServer.address, namespace: 'default' });
  undo.defer(() => temporal.close());
  undo.defer(async () => void (await endAllSteps(dataDir, 0)));
  const log = createLog({ name: 'rig', level: 'error' });
  const jobParams = await loadJobParams(paramsDir);
  const port = await freePort();
  const environment = {
    PORT: String(port),
    SYNCRATOR_ADMIN_PASSWORD: ADMIN_PASSWORD,
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporalServer.address,
    SYNCRATOR_DATA: dataDir,
    SYNCRATOR_SECRET: SECRET,
    JOB_PARAMS: paramsDir,
    LOG_LEVEL: 'warn',
    ...options.environment,
  };
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
      const url = `http://127.0.0.1:${port}`;
      const token = await login(url);
      const call: Api['call'] = async (method, route) => {
        const answer = await fetch(url + route, { method, headers: { authorization: `Bearer ${token}` } });
        if (!answer.ok) throw new Error(`${method} ${route}: ${answer.status} ${await answer.text()}`);
        return await answer.json();
      };
      return { pid, url, token, call };
    },
    async submit(target, action, ...further) {
      const declared = (name: string) => {
        const file = jobParams.find({ env: 'dev', name: target, action: name });
        if (!file) throw new Error(`no params file for ${target} ${name}`);
        return file;
      };
      const steps = [action, ...further].flatMap((name) => {
        const plan = planSteps(declared(name).parameters, declared(name).defaults);
        if ('error' in plan) throw new Error(plan.error);
        return plan.steps;
      });
      const submitted = await submit(
        { db, temporal, log },
        {
          env: 'dev',
          target,
          parameters: declared(action).parameters,
          runner: options.environment?.['RUNNER'] === 'kubernetes' ? 'kubernetes' : 'process',
          steps,
          trigger: 'api',
          requestedBy: 'rig',
        },
      );
      if (submitted.kind !== 'created') throw new Error(`${target} ${action}: ${submitted.kind}`);
      return submitted.job.id;
    },
    async until(id, status, timeoutMs = 60_000) {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const job = await readJobView(db, id);
        if (job?.status === status) return job;
        if (Date.now() > deadline) throw new Error(`job ${id} is ${job?.status}, not ${status}`);
        await wait(50);
      }
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

/** Submits all of them at once. @returns seconds from the first submit to the last end that is written in Postgres */
export async function runAll(rig: Rig, targets: readonly string[]): Promise<number> {
  const began = Date.now();
  const ids = await Promise.all(targets.map((target) => rig.submit(target, 'sync')));
  const jobs = await allAre(rig, ids, 'completed');
  return (Math.max(...jobs.map((job) => job.finished_at?.getTime() ?? Number.NaN)) - began) / 1_000;
}

/** Waits for it. @throws Error as soon as one of them has failed or was deleted */
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
