/**
 * Measures api and worker as in the image (`npm run build:app`), with Postgres, Temporal and a Kubernetes control
 * plane up: seconds from start to ready, processor seconds until then, and resident memory when idle.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ensureDatabases } from '../src/embedded/databases.ts';
import { mallocSettings } from '../src/embedded/malloc.ts';
import { freePort } from '../src/embedded/ports.ts';
import { startPostgres } from '../src/embedded/postgres.ts';
import { startTemporal } from '../src/embedded/temporal.ts';
import { startCluster } from '../tools/cluster/cluster.ts';
import { createWorkerAccount } from '../tools/cluster/worker-account.ts';
import { ADMIN_PASSWORD } from '../test/support/login.ts';
import type { Figure } from './figure.ts';
import { cpuSeconds, residentMiB } from './process-use.ts';
import { ROOT, SECRET } from './rig.ts';

export const group = 'cold';

const APP = path.join(ROOT, 'dist/app');
const LIMIT_MS = 60_000;
const LOOK_MS = 10;
/** By then the garbage of the start is collected, and the reconciler has run twice. */
const IDLE_MS = 15_000;

type Started = { readonly seconds: number; readonly cpu: number; readonly mib: number };

export async function run(options: { once: boolean }): Promise<Figure[]> {
  await promisify(execFile)('npm', ['run', 'build:app'], { cwd: ROOT, timeout: 180_000 });
  const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-bench-cold-'));
  chmodSync(dir, 0o755); // as root, Postgres runs as another user
  await using undo = new AsyncDisposableStack();
  undo.defer(() => rmSync(dir, { recursive: true, force: true }));
  const cluster = undo.use(await startCluster({ dir: path.join(dir, 'cluster') }));
  const kubeconfig = path.join(dir, 'worker.kubeconfig');
  const account = { namespace: 'bench', forceDelete: false, kubeconfig };
  await createWorkerAccount({ ...cluster, kubectl: path.join(cluster.binDir, 'kubectl') }, account);
  const postgres = await startPostgres({ dataDir: dir });
  undo.defer(() => postgres.stop());
  await ensureDatabases(postgres.url('postgres'), ['syncrator']);
  const temporal = await startTemporal({ dataDir: dir });
  undo.defer(() => temporal.stop());
  const environment = {
    PATH: process.env['PATH'] ?? '',
    ...mallocSettings(),
    NODE_ENV: 'production',
    DATABASE_URL: postgres.url('syncrator'),
    TEMPORAL_ADDRESS: temporal.address,
    SYNCRATOR_SECRET: SECRET,
    SYNCRATOR_ADMIN_PASSWORD: ADMIN_PASSWORD,
    SYNCRATOR_DATA: path.join(dir, 'data'),
    SYNCRATOR_REPORT_BASE_URL: 'http://api.bench.svc',
    JOB_PARAMS: path.join(ROOT, 'job_params'),
    RUNNER: 'kubernetes',
    KUBECONFIG: kubeconfig,
    WORKFLOW_BUNDLE: path.join(APP, 'workflow-bundle.js'),
    LOG_LEVEL: 'warn',
  };
  const all = { api: [] as Started[], worker: [] as Started[], node: [] as Started[] };
  // The first start creates the schema, which a release does only once.
  for (let round = -1; round < (options.once ? 1 : 7); round++) {
    const [api, worker] = [await startApi(environment), await startWorker(environment, dir)];
    if (round < 0) continue;
    all.api.push(api);
    all.worker.push(worker);
    all.node.push(await startBare());
  }
  return (['api', 'worker'] as const).flatMap((part): Figure[] => [
    {
      bench: `cold: ${part} to ready (raw: a bare node)`,
      unit: 's',
      ours: all[part].map(({ seconds }) => seconds),
      raw: all.node.map(({ seconds }) => seconds),
      bound: 'ours <= 3 s',
    },
    {
      bench: `cold: processor time of the ${part} until then`,
      unit: 's',
      ours: all[part].map(({ cpu }) => cpu),
      raw: all.node.map(({ cpu }) => cpu),
      bound: 'ours <= 2 s',
    },
    {
      bench: `cold: resident memory of the ${part}, idle`,
      unit: 'MiB',
      ours: all[part].map(({ mib }) => mib),
      raw: all.node.map(({ mib }) => mib),
      bound: part === 'api' ? 'ours <= 150 MiB' : 'ours <= 200 MiB',
    },
  ]);
}

/** Resolves when the chart's probe would see it ready. */
async function startApi(environment: Record<string, string>): Promise<Started> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/health/ready`;
  const signal = () => AbortSignal.timeout(2_000);
  return await started(['src/cli/main.js', 'server'], { ...environment, PORT: String(port) }, async () => {
    const answer = await fetch(url, { signal: signal() }).catch(() => undefined); // not listening yet
    return answer?.ok === true && ((await answer.json()) as { status: string }).status === 'ok';
  });
}

/** Resolves when the chart's probe would see it ready: its reconciler has run once. */
async function startWorker(environment: Record<string, string>, dir: string): Promise<Started> {
  const HEALTH_FILE = path.join(dir, 'healthy');
  rmSync(HEALTH_FILE, { force: true });
  const of = { ...environment, HEALTH_FILE };
  return await started(['src/cli/main.js', 'worker'], of, async () => existsSync(HEALTH_FILE));
}

async function started(
  args: readonly string[],
  env: Record<string, string>,
  isReady: () => Promise<boolean>,
): Promise<Started> {
  const began = performance.now();
  const child = spawn(process.execPath, args, { cwd: APP, env, stdio: ['ignore', 'inherit', 'inherit'] });
  try {
    while (!(await isReady())) {
      if (child.exitCode !== null) throw new Error(`${args.join(' ')} ended with ${child.exitCode}`);
      if (performance.now() - began > LIMIT_MS) throw new Error(`${args.join(' ')} was not ready in time`);
      await wait(LOOK_MS);
    }
    const ready = sinceStart(child, began);
    await wait(IDLE_MS);
    return { ...ready, mib: residentMiB(child.pid ?? 0) };
  } finally {
    await end(child);
  }
}

const sinceStart = ({ pid = 0 }: ChildProcess, began: number) => ({
  seconds: (performance.now() - began) / 1_000,
  cpu: cpuSeconds(pid),
});

async function startBare(): Promise<Started> {
  const began = performance.now();
  const script = "process.stdout.write('up'); setInterval(() => undefined, 60_000)";
  const child = spawn(process.execPath, ['--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(child.stdout, 'data');
    return { ...sinceStart(child, began), mib: residentMiB(child.pid ?? 0) };
  } finally {
    await end(child);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}
