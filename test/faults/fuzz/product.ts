/** The product under the fuzzer: api and worker as processes on their own Postgres and Temporal. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { residentMiB } from '../../../bench/process-use.ts';
import { ROOT } from '../../../bench/rig.ts';
import { signToken } from '../../../src/api/auth/tokens.ts';
import { connect } from '../../../src/db/connect.ts';
import { addUser } from '../../../src/db/access/users.ts';
import { grantOf } from '../../../src/domain/permission.ts';
import { ensureDatabases } from '../../../src/embedded/databases.ts';
import { freePort } from '../../../src/embedded/ports.ts';
import { mallocSettings } from '../../../src/embedded/malloc.ts';
import { startPostgres } from '../../../src/embedded/postgres.ts';
import { startTemporal } from '../../../src/embedded/temporal.ts';
import { bundleForWorker } from '../../../src/embedded/workflow-bundle.ts';
import { endAllSteps } from '../../../src/runner/process/end-all.ts';
import { makeReportToken } from '../../../src/auth/report-token.ts';
import { ADMIN_PASSWORD, login, tokenIn } from '../../support/login.ts';
import { type ParamsFile, paramsFile, writeParams } from '../../support/params-files.ts';
import { createProductPart } from '../../support/product-part.ts';

const SECRET = 'a-secret-of-the-fuzzer-long-enough-to-be-taken';

export const HOOK_SECRET = 'a-hook-secret-of-the-fuzzer';

/** Named like the examples of our OpenAPI document, so that generated requests reach real jobs. */
const PARAMS: readonly ParamsFile[] = [
  { target: 'avo', action: 'sync', options: '--seconds 1', more: 'SCHEDULE=0 1 * * *\n' },
  { target: 'avo', action: 'delta', options: '--seconds 1' },
  { target: 'avo', action: 'delete', options: '--seconds 1' },
  { target: 'avo', action: 'diff', options: '--seconds 1', more: 'MAM_MAIN_QUERY=type:video\n' },
  { target: 'outside', action: 'sync', more: 'RUNNER=external\n' },
  {
    target: 'upper',
    action: 'sync',
    command: null,
    more: 'RUNNER=external\nTARGET_PATTERN=[A-Z][A-Z0-9_]*\n',
  },
  // Runs all the time, because its report route is fuzzed.
  { target: 'long', action: 'sync', options: '--seconds 3000 --mute' },
];

export type Product = AsyncDisposable & {
  readonly url: string;
  readonly port: number;
  /** A bearer token valid for another quarter of an hour: of an admin, or of a user limited to an unknown environment. */
  token(isLimited?: boolean): Promise<string>;
  /** A job that runs until it is cancelled, and its program's report token. */
  runningJob(): Promise<{ id: number; reportToken: string }>;
  /** Memory of the api after garbage collection, in MiB: of the process, and of its own objects. */
  settled(): Promise<{ resident: number; objects: number }>;
  /** The api's log since its start. */
  log(): string;
};

export async function startProduct(): Promise<Product> {
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-fuzz-'));
  chmodSync(dataDir, 0o755);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const postgres = await startPostgres({ dataDir, ephemeral: true });
  undo.defer(() => postgres.stop());
  const temporal = await startTemporal({ dataDir, inMemory: true });
  undo.defer(() => temporal.stop());
  await ensureDatabases(postgres.url('postgres'), ['syncrator']);
  const port = await freePort();
  const inputDir = path.join(dataDir, 'input');
  mkdirSync(inputDir);
  const environment = {
    PORT: String(port),
    SYNCRATOR_ADMIN_PASSWORD: ADMIN_PASSWORD,
    DATABASE_URL: postgres.url('syncrator'),
    TEMPORAL_ADDRESS: temporal.address,
    SYNCRATOR_DATA: dataDir,
    SYNCRATOR_SECRET: SECRET,
    JOB_PARAMS: writeParams(
      dataDir,
      PARAMS.map((file) => paramsFile({ ...file, env: 'qas' })),
    ),
    INPUT_DIR: inputDir,
    ITEM_BANK: 'avo/qas',
    ACCOUNT: 'avo/qas',
    GITLAB_HOOK_SECRET: HOOK_SECRET,
    LOG_LEVEL: 'warn',
  };
  const api = createProductPart({
    name: 'api',
    script: 'src/server.ts',
    nodeArguments: ['--expose-gc', `--import=${path.join(import.meta.dirname, 'collect-garbage.ts')}`],
    environment: { ...environment, ...mallocSettings() },
  });
  undo.defer(() => api.kill());
  await api.start();
  undo.defer(async () => void (await endAllSteps(dataDir, 0)));
  const bundle = path.join(dataDir, 'workflow-bundle.js');
  const bundled = await bundleForWorker(path.join(ROOT, 'src/workflow-bundle.ts'), bundle);
  const worker = createProductPart({
    name: 'worker',
    script: 'src/worker.ts',
    environment: { ...environment, ...bundled },
  });
  undo.defer(() => worker.kill());
  await worker.start();
  const url = `http://127.0.0.1:${port}`;
  let last = await login(url);
  // Renewed instead of a new login: the fuzzer uses up this address' failed attempts.
  const db = connect(postgres.url('syncrator'), {
    max: 1,
    applicationName: 'fuzz',
    onError: () => undefined,
  });
  const limited = { username: 'limited', passwordHash: 'none', grant: grantOf('operator', ['nowhere'], []) };
  undo.defer(() => db.destroy());
  await addUser(db, limited, { principal: 'fuzz' });
  const token = async (isLimited = false) => {
    if (isLimited) return await signToken([SECRET], { sub: limited.username, authTime: Date.now() / 1000 });
    const headers = { authorization: `Bearer ${last}` };
    const answer = await fetch(`${url}/login/renew`, {
      method: 'POST',
      headers,
      signal: AbortSignal.timeout(10_000),
    });
    last = tokenIn(answer.status, await answer.text());
    return last;
  };
  const started = undo.move();
  return {
    url,
    port,
    token,
    async runningJob() {
      const headers = { authorization: `Bearer ${await token()}` };
      // Undoes pauses and cancels of earlier requests.
      await fetch(`${url}/maintenance-status`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: '{"msg":"fuzz","paused":false}',
      });
      const answer = await fetch(`${url}/sync/long/qas`, {
        method: 'POST',
        headers,
        signal: AbortSignal.timeout(10_000),
      });
      const { job_id: id } = (await answer.json()) as { job_id: number };
      for (const deadline = Date.now() + 30_000; ; await wait(200)) {
        const job = (await (await fetch(`${url}/jobs/${id}`, { headers })).json()) as {
          uid: string;
          status: string;
        };
        if (job.status === 'running')
          return { id, reportToken: makeReportToken([SECRET], { uid: job.uid, step: 0, attempt: 1 }) };
        if (Date.now() > deadline) throw new Error(`job ${id} is ${job.status}, not running`);
      }
    },
    async settled() {
      const pid = api.pid;
      if (pid === undefined) throw new Error('the api has no pid');
      // One collection leaves what the next one finds: weak references, and pages that the allocator frees later.
      for (let round = 0; round < 4; round++) {
        process.kill(pid, 'SIGUSR2');
        await wait(500);
      }
      const told = /settled (\{.*\})/g;
      const [, last = '{}'] = [...api.output().matchAll(told)].at(-1) ?? [];
      const { heapUsed = 0, external = 0 } = JSON.parse(last) as { heapUsed?: number; external?: number };
      return { resident: residentMiB(pid), objects: Math.round((heapUsed + external) / 2 ** 20) };
    },
    log: () => api.output(),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}
