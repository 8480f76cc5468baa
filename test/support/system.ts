/** The product as processes on the run's Postgres and Temporal: an api and workers that a test may kill. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, inject, vi } from 'vitest';
import { connect } from '../../src/db/connect.ts';
import { type JobView, readJobView } from '../../src/db/views/job-views.ts';
import { readInstallation } from '../../src/db/migrate.ts';
import type { Db } from '../../src/db/schema.ts';
import type { Submitted } from '../../src/db/jobs/submit.ts';
import { planSteps } from '../../src/domain/plan.ts';
import { freePort } from '../../src/embedded/ports.ts';
import { loadJobParams } from '../../src/job-params/load.ts';
import { createLog } from '../../src/log.ts';
import type { Listed, Runner } from '../../src/runner/runner.ts';
import { connectTemporal, type Temporal } from '../../src/temporal/connect.ts';
import { startJob } from '../../src/engine/start-job.ts';
import { createDatabase } from './database.ts';
import { type Ground, processGround } from './runner-env.ts';
import { ADMIN_PASSWORD, login } from './login.ts';
import { paramsFile, writeParams } from './params-files.ts';
import { createProductPart, type ProductPart } from './product-part.ts';
import { createNamespace } from './temporal.ts';

export const SECRET = 'a-secret-of-the-tests-long-enough-to-be-taken';

export type System = AsyncDisposable & {
  readonly db: Db;
  readonly databaseUrl: string;
  readonly temporal: Temporal;
  readonly dataDir: string;
  readonly apiUrl: string;
  readonly log: ReturnType<typeof createLog>;
  readonly environment: Readonly<Record<string, string>>;
  startWorker(script?: string, environment?: Record<string, string>): Promise<ProductPart>;
  startApi(environment?: Record<string, string>): Promise<ProductPart>;
  /** Calls the api as admin; logs in at the first call. */
  call(
    method: string,
    route: string,
    body?: unknown,
  ): Promise<{ status: number; body: Record<string, unknown> }>;
  /** Kills all parts that run a script. */
  endParts(script: string): Promise<void>;
  /** Submits the job of a params file, as the api would; further actions become further steps, as in a diff. */
  submit(target: string, action: string, ...further: string[]): Promise<Submitted>;
  job(id: number): Promise<JobView>;
  /** All kept logs of a job in one text, as the api serves them. */
  logText(id: number): Promise<string>;
  /** The workers' runner, to see what runs and to plant what another worker would have started. */
  runner(): Promise<Runner>;
  /** The run folders or Kubernetes Jobs of a target, and which of them still run. */
  listed(target: string): Promise<Listed[]>;
  live(target: string): Promise<Listed[]>;
  /** Waits until the job has a status. */
  until(id: number, status: string, timeoutMs?: number): Promise<JobView>;
};

/** The params file of a step program; OPTIONS are the program's own. */
export function params(target: string, action: string, options: string, more = ''): [string, string] {
  return paramsFile({ target, action, options, more });
}

/**
 * @param options.params files to write, or the folder that has them
 * @param options.temporal another Temporal than the run's, for tests that kill it
 * @param options.databaseUrl an empty database; by default a new one of the run
 * @param options.ground what steps run on; processes by default. The system disposes of it.
 */
export async function startSystem(options: {
  params: readonly [string, string][] | { readonly folder: string };
  temporal?: { address: string; namespace: string };
  ground?: Ground;
  databaseUrl?: string;
}): Promise<System> {
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-system-'));
  const paramsDir = 'folder' in options.params ? options.params.folder : writeParams(dataDir, options.params);
  const database = options.databaseUrl === undefined ? await createDatabase() : undefined;
  const databaseUrl = options.databaseUrl ?? database?.url ?? '';
  const temporalAt = options.temporal ?? (await createNamespace());
  const apiPort = await freePort();
  const ground = options.ground ?? processGround(dataDir);
  const environment = {
    ...ground.environment,
    PORT: String(apiPort),
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporalAt.address,
    TEMPORAL_NAMESPACE: temporalAt.namespace,
    SYNCRATOR_DATA: dataDir,
    SYNCRATOR_SECRET: SECRET,
    SYNCRATOR_ADMIN_PASSWORD: ADMIN_PASSWORD,
    JOB_PARAMS: paramsDir,
    // Programs write into folders of the tests.
    PROGRAM_USER: 'worker',
    LOG_LEVEL: 'info',
  };
  const jobParams = await loadJobParams(paramsDir);
  const log = createLog({ name: 'test', level: 'error' });
  const db = connect(databaseUrl, { max: 5, applicationName: 'test', onError: () => undefined });
  const temporal = connectTemporal(temporalAt);
  const parts: ProductPart[] = [];
  const apiUrl = `http://127.0.0.1:${apiPort}`;
  let token: string | undefined;
  const start = async (script: string, more: Record<string, string> = {}) => {
    const part = createProductPart({ name: script, script, environment: { ...environment, ...more } });
    parts.push(part);
    await part.start();
    return part;
  };
  let ownRunner: Runner | undefined;
  const runner = async () => (ownRunner ??= ground.runner(await readInstallation(db)));
  const listed = async (target: string) => await (await runner()).list({ env: 'dev', target });
  const job = async (id: number) => {
    const view = await readJobView(db, id);
    if (!view) throw new Error(`no job ${id}`);
    return view;
  };
  return {
    db,
    databaseUrl,
    temporal,
    dataDir,
    log,
    environment,
    apiUrl,
    startWorker: (script = 'src/worker.ts', more) =>
      start(script, { ...inject('workerEnvironment'), ...more }),
    startApi: (more) => start('src/server.ts', more),
    async call(method, route, body) {
      token ??= await login(apiUrl);
      const answer = await fetch(`${apiUrl}${route}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(15_000),
      });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    },
    async logText(id) {
      token ??= await login(apiUrl);
      const answer = await fetch(`${apiUrl}/jobs/${id}/logs?download`, {
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(30_000),
      });
      return await answer.text();
    },
    async endParts(script) {
      for (const part of parts) if (part.script.endsWith(script)) await part.kill();
    },
    async submit(target, action, ...further) {
      const declared = (name: string) => {
        const file = jobParams.find({ env: 'dev', name: target, action: name });
        if (!file) throw new Error(`no params file for ${target} ${name}`);
        return file;
      };
      const file = declared(action);
      const steps = [action, ...further].flatMap((name) => {
        const plan = planSteps(declared(name).parameters, declared(name).defaults);
        if ('error' in plan) throw new Error(plan.error);
        return plan.steps;
      });
      return await startJob(
        { db, temporal, log },
        {
          env: 'dev',
          target: file.target,
          parameters: file.parameters,
          runner: file.runner ?? ground.name,
          steps,
          trigger: 'api',
          requestedBy: 'test',
        },
      );
    },
    job,
    runner,
    listed,
    live: async (target) => (await listed(target)).filter(({ live }) => live),
    async until(id, status, timeoutMs = 45_000) {
      // Not `expect.poll`: it finds its test through a global, which fails in concurrent tests. Reads only the
      // status, since many tests wait here at once.
      const current = async () =>
        (await db.selectFrom('jobs').select('status').where('id', '=', id).executeTakeFirst())?.status;
      await vi.waitFor(async () => expect(await current(), `job ${id}`).toBe(status), { timeout: timeoutMs });
      return await job(id);
    },
    async [Symbol.asyncDispose]() {
      for (const part of parts) await part.kill();
      await ground.dispose();
      await db.destroy();
      await temporal.close();
      await database?.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
