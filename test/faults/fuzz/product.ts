/** The product that is fuzzed: api and worker as processes of their own, on a Postgres and a Temporal of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { residentMiB } from '../../../bench/memory.ts';
import { ROOT, STEP_PROGRAM } from '../../../bench/rig.ts';
import { ensureDatabases } from '../../../src/embedded/databases.ts';
import { freePort } from '../../../src/embedded/ports.ts';
import { startPostgres } from '../../../src/embedded/postgres.ts';
import { startTemporal } from '../../../src/embedded/temporal.ts';
import { bundleForWorker } from '../../../src/embedded/workflow-bundle.ts';
import { endAllSteps } from '../../../src/runner/process/end-all.ts';
import { makeReportToken } from '../../../src/report-token.ts';

const SECRET = 'a-secret-of-the-fuzzer-long-enough-to-be-taken';
const PASSWORD = 'the password';

/** Named as the examples of our OpenAPI document name them, so that generated requests reach real jobs. */
const PARAMS: Readonly<Record<string, readonly string[]>> = {
  'qas/avo-sync': ['OPTIONS=--seconds 1', 'SCHEDULE=0 1 * * *'],
  'qas/avo-delta': ['OPTIONS=--seconds 1'],
  'qas/avo-delete': ['OPTIONS=--seconds 1'],
  'qas/avo-diff': ['OPTIONS=--seconds 1', 'MAM_MAIN_QUERY=type:video'],
  'qas/outside-sync': ['OPTIONS=', 'RUNNER=external'],
  // Runs all the time: the one whose report route is fuzzed.
  'qas/long-sync': ['OPTIONS=--seconds 3000 --mute'],
};

export type Product = AsyncDisposable & {
  readonly url: string;
  readonly port: number;
  /** A bearer token that lasts another quarter of an hour. */
  token(): Promise<string>;
  /** A job that runs until it is cancelled, and the token of its program. */
  runningJob(): Promise<{ id: number; reportToken: string }>;
  /** What the api holds of the machine's memory once it has collected its garbage. */
  settledMiB(): Promise<number>;
  /** What the api has written to its log since it began. */
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
  const environment = {
    PORT: String(port),
    SYNCRATOR_ADMIN_PASSWORD: PASSWORD,
    DATABASE_URL: postgres.url('syncrator'),
    TEMPORAL_ADDRESS: temporal.address,
    SYNCRATOR_DATA: dataDir,
    SYNCRATOR_SECRET: SECRET,
    JOB_PARAMS: writeParams(dataDir),
    LOG_LEVEL: 'warn',
  };
  let log = '';
  const collects = path.join(import.meta.dirname, 'collect-garbage.ts');
  const api = await startPart(['--expose-gc', `--import=${collects}`, 'src/server.ts'], environment);
  undo.defer(() => endPart(api));
  api.stdout?.on('data', (text: Buffer) => (log += text.toString()));
  api.stderr?.on('data', (text: Buffer) => (log += text.toString()));
  undo.defer(async () => void (await endAllSteps(dataDir, 0)));
  const bundle = path.join(dataDir, 'workflow-bundle.js');
  const bundled = await bundleForWorker(path.join(ROOT, 'src/workflow-bundle.ts'), bundle);
  const worker = await startPart(['src/worker.ts'], { ...environment, ...bundled });
  worker.stdout?.resume();
  worker.stderr?.pipe(process.stderr);
  undo.defer(() => endPart(worker));
  const started = undo.move();

  const url = `http://127.0.0.1:${port}`;
  const body = new URLSearchParams({ username: 'admin', password: PASSWORD });
  let last = await tokenOf(await fetch(`${url}/login`, { method: 'POST', body }));
  // Renewed, not logged in for again: the fuzzer uses up this address' bad tries.
  const token = async () => {
    const headers = { authorization: `Bearer ${last}` };
    last = await tokenOf(
      await fetch(`${url}/login/renew`, { method: 'POST', headers, signal: AbortSignal.timeout(10_000) }),
    );
    return last;
  };
  return {
    url,
    port,
    token,
    async runningJob() {
      const headers = { authorization: `Bearer ${await token()}` };
      // Whatever a request has paused or cancelled before.
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
    async settledMiB() {
      const pid = api.pid;
      if (pid === undefined) throw new Error('the api has no pid');
      // One collection leaves what the next one finds: weak references, and pages the allocator gives back later.
      for (let round = 0; round < 4; round++) {
        process.kill(pid, 'SIGUSR2');
        await wait(500);
      }
      return residentMiB(pid);
    },
    log: () => log,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

async function tokenOf(answer: Response): Promise<string> {
  if (!answer.ok) throw new Error(`no token: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { access_token: string }).access_token;
}

function writeParams(dataDir: string): string {
  const folder = path.join(dataDir, 'job_params');
  for (const [name, lines] of Object.entries(PARAMS)) {
    const [env = '', file = ''] = name.split('/');
    const [target, action] = file.split('-');
    mkdirSync(path.join(folder, env), { recursive: true });
    writeFileSync(
      path.join(folder, env, `${file}.public_params`),
      `TARGET=${target}\nENV=${env}\nACTION_NAME=${action}\nACTION=${action}\nIS_TAG=latest\n` +
        `COMMAND=node ${STEP_PROGRAM}\n${lines.join('\n')}\n`,
    );
  }
  return folder;
}

async function startPart(args: readonly string[], environment: Record<string, string>) {
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const first = await Promise.race([
    once(child, 'message').then(() => 'ready'),
    once(child, 'exit').then(() => 'ended'),
  ]);
  if (first === 'ended') throw new Error(`${args.at(-1)} ended before it was ready`);
  return child;
}

async function endPart(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
