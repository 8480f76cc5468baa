/** The product's worker on a Postgres and a Temporal of its own, for measuring and for recording histories. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

export const ROOT = path.resolve(import.meta.dirname, '..');
/** The stand-in for the sync program that the tests use too. */
export const STEP_PROGRAM = path.join(ROOT, 'test/support/programs/step.ts');

/** What many jobs at once are waited for. */
const ALL_MS = 300_000;

export type Params = {
  readonly target: string;
  readonly action: string;
  readonly options: string;
  /** Further lines. */
  readonly more?: string;
};

export type Rig = AsyncDisposable & {
  readonly dataDir: string;
  readonly db: Db;
  readonly temporal: Temporal;
  readonly log: Log;
  /** Starts a worker and waits until it polls. */
  startWorker(script?: string, environment?: Record<string, string>): Promise<ChildProcess>;
  /** Starts an api; returns calls of it as admin, each giving the answer's body. */
  startApi(): Promise<(method: string, route: string) => Promise<unknown>>;
  /** Submits what a params file says, as the api does; further actions become further steps, as in a diff. */
  submit(target: string, action: string, ...further: string[]): Promise<number>;
  until(id: number, status: string, timeoutMs?: number): Promise<JobView>;
};

/**
 * @param options.environment further settings of api and worker
 * @param options.durable keeps what is committed over a crash, as `npm start` does; tests of speed want that
 */
export async function startRig(options: {
  params: readonly Params[];
  durable: boolean;
  environment?: Readonly<Record<string, string>>;
}): Promise<Rig> {
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-rig-'));
  chmodSync(dataDir, 0o755);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const paramsDir = writeParams(dataDir, options.params);
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
  const password = 'correct horse battery';
  const environment = {
    PORT: String(port),
    SYNCRATOR_ADMIN_PASSWORD: password,
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporalServer.address,
    SYNCRATOR_DATA: dataDir,
    SYNCRATOR_SECRET: 'a-secret-of-the-rig-long-enough-to-be-taken',
    JOB_PARAMS: paramsDir,
    LOG_LEVEL: 'warn',
    ...options.environment,
  };
  const started = undo.move();
  return {
    dataDir,
    db,
    temporal,
    log,
    async startWorker(script = 'src/worker.ts', more = {}) {
      const bundle = path.join(dataDir, 'workflow-bundle.js');
      const bundled = await bundleForWorker(path.join(ROOT, 'src/workflow-bundle.ts'), bundle);
      const worker = await startPart(path.join(ROOT, script), { ...environment, ...bundled, ...more });
      started.defer(() => endPart(worker));
      return worker;
    },
    async startApi() {
      const api = await startPart(path.join(ROOT, 'src/server.ts'), environment);
      started.defer(() => endPart(api));
      const url = `http://127.0.0.1:${port}`;
      const login = await fetch(`${url}/login`, {
        method: 'POST',
        body: new URLSearchParams({ username: 'admin', password }),
      });
      const { access_token: token } = (await login.json()) as { access_token: string };
      return async (method, route) => {
        const answer = await fetch(url + route, { method, headers: { authorization: `Bearer ${token}` } });
        if (!answer.ok) throw new Error(`${method} ${route}: ${answer.status} ${await answer.text()}`);
        return await answer.json();
      };
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

function writeParams(dataDir: string, params: readonly Params[]): string {
  const folder = path.join(dataDir, 'job_params');
  mkdirSync(path.join(folder, 'dev'), { recursive: true });
  for (const { target, action, options, more = '' } of params)
    writeFileSync(
      path.join(folder, 'dev', `${target}-${action}.public_params`),
      `TARGET=${target}\nENV=dev\nACTION_NAME=${action}\nACTION=${action}\nIS_TAG=latest\nOPTIONS=${options}\n` +
        `COMMAND=node ${STEP_PROGRAM}\n${more}`,
    );
  return folder;
}

async function startPart(script: string, environment: Record<string, string>): Promise<ChildProcess> {
  const child = spawn(process.execPath, [script], {
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...environment },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const first = await Promise.race([
    once(child, 'message').then(() => 'ready'),
    once(child, 'exit').then(() => 'ended'),
  ]);
  if (first === 'ended') throw new Error(`${script} ended before it was ready`);
  return child;
}

async function endPart(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
