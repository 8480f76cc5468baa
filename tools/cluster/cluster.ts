/** A real Kubernetes control plane of one's own, with a fake node whose pods do what their annotations say. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Endpoint } from './api.ts';
import { clusterBinaries } from './binaries.ts';
import { choosePorts } from './choose-ports.ts';
import { certificateFile, createParts, keyFile } from './control-plane.ts';
import { ensureCredentials, type UserName, writeKubeconfig } from './credentials.ts';
import { writeKwokConfig } from './kwok-config.ts';
import { acceptsPods, createObjects, NAMESPACE, NODE } from './objects.ts';
import { own } from './owner.ts';
import type { Part, PartName } from './part.ts';
import { type PodLogs, servePodLogs } from './pod-logs.ts';

export type { Part, PartName } from './part.ts';

export type ClusterOptions = {
  /** Data, logs, credentials and kubeconfig of the cluster; a second start on it goes on where the first ended. */
  readonly dir: string;
  readonly onProgress?: (line: string) => void;
  /** When pods end whose annotations say nothing of it: a duration such as `5s`, or `never` (the default). */
  readonly finishAfter?: string;
  /** Writes every request to `auditLog`, one JSON event per line, at the level Metadata. */
  readonly audit?: boolean;
  /** Every version of every object stays in etcd, as JSON: for an audit of all that ever was. */
  readonly keepHistory?: boolean;
  /** How many ended pods the controller manager leaves; Kubernetes' own default is 12,500. */
  readonly terminatedPodGcThreshold?: number;
  /** Appended to the flags of a part. */
  readonly extraFlags?: Readonly<Partial<Record<PartName, readonly string[]>>>;
  readonly signal?: AbortSignal;
};

export type PodRef = { readonly name: string; readonly namespace?: string; readonly container?: string };

export type Cluster = AsyncDisposable & {
  /** Of the administrator; its context has the namespace `syncrator`. */
  readonly kubeconfig: string;
  readonly server: string;
  /** Of the store behind it, in the clear: for an audit of what was ever written. */
  readonly etcdUrl: string;
  /** The administrator's bearer token, for raw requests. */
  readonly token: string;
  /** The certificate authority in PEM. */
  readonly caFile: string;
  /** What a kubectl needs: KUBECONFIG, a PATH with it, and a folder for what it caches (else ./.kube without HOME). */
  readonly env: { readonly KUBECONFIG: string; readonly PATH: string; readonly KUBECACHEDIR: string };
  readonly binDir: string;
  readonly namespace: string;
  readonly node: string;
  readonly dir: string;
  readonly parts: Readonly<Record<PartName, Part>>;
  readonly auditLog: string | undefined;
  /** Appends lines to the log of a fake pod's container (default `main`), which need not exist yet. */
  writeLog(pod: PodRef, lines: string | readonly string[]): void;
  /** The file behind it, in the CRI format; other processes may append to it too. */
  logFile(pod: PodRef): string;
  /** Ends everything, kwok first and etcd last. Safe to repeat. */
  stop(): Promise<void>;
  /** SIGKILL to everything, at once. */
  kill(): Promise<void>;
};

const READY_WITHIN_MS = 60_000;
/** Dependents first. */
const STOP_ORDER: readonly PartName[] = ['kwok', 'scheduler', 'controller-manager', 'apiserver', 'etcd'];

/**
 * Resolves when a pod can run. Builds the programs if they are missing, which takes minutes, once.
 * The cluster ends with this process, even when that is killed.
 * @throws Error when the folder is in use, a program cannot be built or a part does not come up
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { signal, onProgress = () => undefined } = options;
  const dir = path.resolve(options.dir);
  const binDir = await clusterBinaries(onProgress, process.env, signal);
  for (const folder of ['logs', 'certs', 'pod-logs'])
    mkdirSync(path.join(dir, folder), { recursive: true, mode: 0o700 });
  const release = own(dir);
  try {
    return await start({ ...options, dir, onProgress }, binDir, release);
  } catch (error) {
    release();
    throw error;
  }
}

async function start(
  options: ClusterOptions & Required<Pick<ClusterOptions, 'onProgress'>>,
  binDir: string,
  release: () => void,
): Promise<Cluster> {
  const { dir, onProgress, signal } = options;
  const ports = await choosePorts(dir);
  const credentials = ensureCredentials(dir);
  const auditLog = path.join(dir, 'logs', 'audit.log');
  const kubeconfigs = {
    admin: path.join(dir, 'kubeconfig'),
    'controller-manager': path.join(dir, 'credentials', 'controller-manager.kubeconfig'),
    scheduler: path.join(dir, 'credentials', 'scheduler.kubeconfig'),
    kwok: path.join(dir, 'credentials', 'kwok.kubeconfig'),
  };
  const parts = createParts({
    dir,
    binDir,
    ports,
    credentials,
    kubeconfigs,
    kwokConfig: writeKwokConfig(dir, options.finishAfter ?? 'never'),
    auditPolicy: options.audit === true ? writeAuditPolicy(dir) : undefined,
    auditLog,
    keepHistory: options.keepHistory ?? false,
    terminatedPodGcThreshold: options.terminatedPodGcThreshold,
    extraFlags: options.extraFlags ?? {},
  });
  const server = `https://127.0.0.1:${ports.apiserver}`;
  const caFile = certificateFile(dir);
  const as = (user: UserName): Endpoint => ({ url: server, caFile, token: credentials.tokens[user] });
  const killAll = () => Promise.all(Object.values(parts).map((part) => part.kill()));

  let logs: PodLogs | undefined;
  try {
    onProgress('starting etcd and the apiserver');
    await Promise.all([parts.etcd.start(), parts.apiserver.start()]);
    signal?.throwIfAborted();
    for (const user of ['admin', 'controller-manager', 'scheduler', 'kwok'] as const) {
      const token = credentials.tokens[user];
      writeKubeconfig(kubeconfigs[user], { server, caFile, user, token, namespace: NAMESPACE });
    }
    onProgress('starting the controller manager, the scheduler and kwok');
    const available = () => parts.kwok.state === 'running';
    logs = await servePodLogs({
      dir,
      port: ports.kubelet,
      certFile: caFile,
      keyFile: keyFile(dir),
      api: as('kubelet'),
      available,
    });
    await Promise.all([
      createObjects(as('admin'), ports.kubelet),
      parts['controller-manager'].start(),
      parts.scheduler.start(),
      parts.kwok.start(),
    ]);
    await untilPodsAreAccepted(as('admin'), signal);
  } catch (error) {
    await killAll();
    await logs?.close();
    throw error;
  }

  const podLogs = logs;
  const ref = ({ name, namespace = NAMESPACE, container = 'main' }: PodRef) => ({
    pod: name,
    namespace,
    container,
  });
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    for (const name of STOP_ORDER) await parts[name].stop();
    await podLogs.close();
    release();
  };
  const cluster: Cluster = {
    kubeconfig: kubeconfigs.admin,
    server,
    etcdUrl: `http://127.0.0.1:${ports.etcd}`,
    token: credentials.tokens.admin,
    caFile,
    env: {
      KUBECONFIG: kubeconfigs.admin,
      KUBECACHEDIR: path.join(dir, 'kubectl-cache'),
      PATH: `${binDir}${path.delimiter}${process.env['PATH'] ?? ''}`,
    },
    binDir,
    namespace: NAMESPACE,
    node: NODE,
    dir,
    parts,
    auditLog: options.audit === true ? auditLog : undefined,
    writeLog: (pod, lines) => podLogs.write(ref(pod), typeof lines === 'string' ? [lines] : lines),
    logFile: (pod) => podLogs.file(ref(pod)),
    stop: () => (stopped ??= stop()),
    async kill() {
      await killAll();
      await cluster.stop();
    },
    [Symbol.asyncDispose]: () => cluster.stop(),
  };
  return cluster;
}

async function untilPodsAreAccepted(api: Endpoint, signal: AbortSignal | undefined): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (!(await acceptsPods(api, AbortSignal.timeout(5_000)))) {
    signal?.throwIfAborted();
    if (Date.now() > deadline)
      throw new Error(`the fake node was not ready within ${READY_WITHIN_MS / 1000} s; see logs/kwok.log`);
    await wait(50);
  }
}

function writeAuditPolicy(dir: string): string {
  const file = path.join(dir, 'audit-policy.yaml');
  const policy = {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [{ level: 'Metadata' }],
  };
  writeFileSync(file, JSON.stringify(policy));
  return file;
}
