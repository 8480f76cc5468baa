/** The whole system, every part a real server that can be killed: cluster, Postgres, Temporal, two apis, two workers. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { connect } from '../../../src/db/connect.ts';
import type { Db } from '../../../src/db/schema.ts';
import { ensureDatabases } from '../../../src/embedded/databases.ts';
import { freePort } from '../../../src/embedded/ports.ts';
import { bundleForWorker } from '../../../src/embedded/workflow-bundle.ts';
import { connectTemporal, type Temporal } from '../../../src/temporal/connect.ts';
import { type Cluster, type ClusterOptions, startCluster } from '../../../tools/cluster/cluster.ts';
import { createKubernetesGround, type KubernetesGround } from '../../support/kubernetes.ts';
import { ADMIN_PASSWORD } from '../../support/login.ts';
import { paramsFile, writeParams } from '../../support/params-files.ts';
import { createProductPart, type ProductPart } from '../../support/product-part.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { type Busyness, measureBusyness } from './busyness.ts';
import { createPostgresPart, createTemporalPart } from './server-parts.ts';
import type { FaultPart } from './part.ts';
import { type Link, startToxiproxy } from './toxiproxy.ts';
import { watchStatuses } from '../audit/status-log.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const API = 'src/server.ts';
const WORKER = 'src/worker.ts';

/** Each target has a params file for each action. */
export const ACTIONS = ['sync', 'delta', 'delete', 'diff'] as const;

export type RigOptions = {
  /**
   * Targets of the environment `dev`, each with a file for each action; `more`: further lines of all files but
   * diff's.
   */
  readonly targets: readonly { readonly name: string; readonly more?: string }[];
  /** Families of names, for external executors: each has a sync, for every target whose name matches. */
  readonly families?: readonly { readonly name: string; readonly pattern: string }[];
  readonly workers?: number;
  /** Further settings of api and worker. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly cluster?: Omit<ClusterOptions, 'dir'>;
  /** Whether pods do what their arguments say (test/support/pod-actor.ts); true by default. */
  readonly actor?: boolean;
  readonly forceDelete?: boolean;
  /** The checkout of apis and workers; this one by default. */
  readonly root?: string | undefined;
  /** A command that runs the first api: it runs the command after it. */
  readonly apiUnder?: (dir: string) => readonly string[];
  readonly say: (line: string) => void;
};

export type Rig = AsyncDisposable & {
  readonly dir: string;
  readonly cluster: Cluster;
  readonly ground: KubernetesGround;
  /** Bypasses the links, whatever their state. */
  readonly db: Db;
  readonly temporal: Temporal;
  /** Links by which every api and worker reaches the servers, and pods the first api. */
  readonly links: Readonly<Record<'kubernetes' | 'temporal' | 'postgres' | 'report', Link>>;
  /** A further link to a server, for a program's own calls. */
  newLink(name: string, to: 'kubernetes' | 'temporal' | 'postgres'): Promise<Link>;
  /** The product's database, through a link. */
  postgresUrl(link: Link): string;
  readonly apis: readonly ProductPart[];
  readonly workers: readonly ProductPart[];
  /** A further api of this checkout, not yet started. No client calls it until its url is in `urls`. */
  readonly oneMore: {
    api(): Promise<{ readonly part: ProductPart; readonly port: number }>;
    worker(): Promise<ProductPart>;
  };
  /** The url of each api that is called; read before each call. */
  readonly urls: string[];
  readonly postgres: FaultPart;
  readonly temporalServer: FaultPart;
  /** Logged in as admin; spreads its calls over the apis. */
  readonly api: ApiClient;
  /** How busy this machine was since the rig began to start. */
  readonly busyness: Busyness;
  /** The product's environment, without PORT. */
  readonly environment: Readonly<Record<string, string>>;
};

/** @throws Error that names the part that did not start */
export async function startRig(options: RigOptions): Promise<Rig> {
  const { say } = options;
  const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-faults-'));
  chmodSync(dir, 0o755);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => rmSync(dir, { recursive: true, force: true }));
  const busyness = undo.use(measureBusyness());
  say('starting the cluster, Postgres and Temporal');
  const bundleOf = (root: string, name: string) =>
    bundleForWorker(path.join(root, 'src/workflow-bundle.ts'), path.join(dir, name));
  const { root = ROOT } = options;
  const [cluster, postgres, temporalServer, bundle] = await Promise.all([
    startCluster({ ...options.cluster, dir: path.join(dir, 'cluster'), keepHistory: true }),
    createPostgresPart(dir),
    createTemporalPart(dir),
    bundleOf(root, 'workflow-bundle.js'),
  ]);
  undo.use(cluster);
  undo.defer(() => postgres.stop());
  undo.defer(() => temporalServer.stop());
  await ensureDatabases(postgres.server.url('postgres'), ['syncrator']);

  const toxiproxy = undo.use(await startToxiproxy(dir, say));
  const ports = [await freePort(), await freePort()];
  const addresses = {
    kubernetes: cluster.server.replace('https://', ''),
    temporal: temporalServer.address,
    postgres: postgres.address,
  };
  const links = {
    kubernetes: await toxiproxy.link('kubernetes', addresses.kubernetes),
    temporal: await toxiproxy.link('temporal', addresses.temporal),
    postgres: await toxiproxy.link('postgres', addresses.postgres),
    report: await toxiproxy.link('report', `127.0.0.1:${ports[0]}`),
  };
  // The audit bypasses the links.
  const audited = await toxiproxy.link('audited-postgres', postgres.address);
  postgres.behind(links.postgres, audited);
  temporalServer.behind(links.temporal);

  const kubectl = path.join(cluster.binDir, 'kubectl');
  const ground = await createKubernetesGround(
    { ...cluster, kubectl },
    { actor: options.actor ?? true, forceDelete: options.forceDelete ?? false },
  );
  undo.defer(() => ground.dispose());
  const inputDir = path.join(dir, 'input');
  mkdirSync(inputDir);
  const environment = {
    ...ground.environment,
    KUBECONFIG: throughLink(ground, cluster, links.kubernetes, dir),
    DATABASE_URL: moved(postgres.server.url('syncrator'), links.postgres.address),
    TEMPORAL_ADDRESS: links.temporal.address,
    SYNCRATOR_DATA: dir,
    PROGRAM_USER: 'worker', // programs write into our folder
    SYNCRATOR_SECRET: 'a-secret-of-the-faults-long-enough-to-be-taken',
    SYNCRATOR_ADMIN_PASSWORD: ADMIN_PASSWORD,
    SYNCRATOR_REPORT_BASE_URL: `http://${links.report.address}`,
    JOB_PARAMS: writeAllParams(dir, options, true),
    INPUT_DIR: inputDir,
    LOG_LEVEL: 'info',
    ...options.environment,
  };
  // The previous version does not know CALLER_OPTIONS, and accepts any options without it.
  const before =
    root === ROOT ? {} : { JOB_PARAMS: writeAllParams(path.join(dir, 'before'), options, false) };
  const parts: ProductPart[] = [];
  undo.defer(async () => void (await Promise.all(parts.map((part) => part.kill()))));
  const part = (of: {
    script: string;
    root: string;
    more: Record<string, string>;
    under?: readonly string[] | undefined;
  }) => {
    const { script, under } = of;
    const kind = script === API ? 'api' : 'worker';
    const name = `${kind} ${parts.filter((other) => other.script === script).length + 1}`;
    const created = createProductPart({
      name,
      script,
      root: of.root,
      environment: { ...environment, ...(of.root === ROOT ? {} : before), ...of.more },
      under,
    });
    parts.push(created);
    return created;
  };
  const apis = ports.map((port, at) => {
    const under = at === 0 ? options.apiUnder?.(dir) : undefined;
    return part({ script: API, root, more: { PORT: String(port) }, under });
  });
  const urls = ports.map(urlOf);
  const workers = Array.from({ length: options.workers ?? 2 }, () =>
    part({ script: WORKER, root, more: bundle }),
  );
  const oneMore: Rig['oneMore'] = {
    async api() {
      const port = await freePort();
      return { part: part({ script: API, root: ROOT, more: { PORT: String(port) } }), port };
    },
    async worker() {
      const more = root === ROOT ? bundle : await bundleOf(ROOT, 'next-workflow-bundle.js');
      return part({ script: WORKER, root: ROOT, more });
    },
  };
  say('starting two apis and the workers');
  await apis[0]?.start(); // creates the schema
  await Promise.all([...apis.slice(1), ...workers].map((started) => started.start()));
  const databaseUrl = moved(postgres.server.url('syncrator'), audited.address);
  const db = connect(databaseUrl, { max: 5, applicationName: 'faults', onError: () => undefined });
  undo.defer(() => db.destroy());
  await watchStatuses(db);
  const temporal = connectTemporal({ address: temporalServer.address, namespace: 'default' });
  undo.defer(() => temporal.close());
  const api = await createApiClient(urls, busyness);
  const started = undo.move();
  say('started');
  return {
    dir,
    cluster,
    ground,
    db,
    temporal,
    links,
    newLink: (name, to) => toxiproxy.link(name, addresses[to]),
    postgresUrl: (link) => moved(postgres.server.url('syncrator'), link.address),
    apis,
    workers,
    oneMore,
    urls,
    postgres,
    temporalServer,
    api,
    busyness,
    environment,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

/** The worker's kubeconfig through the link: the apiserver's certificate covers 127.0.0.1 at every port. */
function throughLink(ground: KubernetesGround, cluster: Cluster, link: Link, dir: string): string {
  const text = readFileSync(ground.environment['KUBECONFIG'] ?? '', 'utf8');
  const file = path.join(dir, 'worker.kubeconfig');
  writeFileSync(file, text.replaceAll(cluster.server, `https://${link.address}`), { mode: 0o600 });
  return file;
}

/** The address of an api on this port. */
export function urlOf(port: number): string {
  return `http://127.0.0.1:${port}`;
}

function moved(url: string, address: string): string {
  const result = new URL(url);
  result.host = address;
  return result.href;
}

/** Only our own program runs a diff in two steps, and its options are checked: its pods decide their own duration. */
const DIFF = `POD_OVERRIDES={"annotations":{"kwok.syncrator/start-after":"2s"}}\n`;

function familyOf({ name: target, pattern }: { name: string; pattern: string }) {
  const more = `RUNNER=external\nTARGET_PATTERN=${pattern}\n`;
  return paramsFile({ target, action: 'sync', command: null, more });
}

function writeAllParams(dir: string, options: RigOptions, callerOptions: boolean): string {
  return writeParams(dir, [
    ...options.targets.flatMap((target) => paramsOf(target, callerOptions)),
    ...(options.families ?? []).map(familyOf),
  ]);
}

function paramsOf({ name: target, more = '' }: RigOptions['targets'][number], callerOptions: boolean) {
  return ACTIONS.map((action) =>
    paramsFile(
      action === 'diff'
        ? { target, action, command: null, more: DIFF }
        : { target, action, command: 'node step.ts', callerOptions, more },
    ),
  );
}
