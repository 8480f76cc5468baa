/** Prepares the control plane of a folder without a node; shared by clusters with fake and with real pods. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Endpoint } from './api.ts';
import { choosePorts } from './choose-ports.ts';
import { certificateFile, createParts, type PlaneSettings } from './control-plane.ts';
import { ensureCredentials, type UserName, writeKubeconfig } from './credentials.ts';
import { acceptsPods, createNamespace, NAMESPACE } from './objects.ts';
import type { Part, PartName, PlanePartName, RealPartName } from './part.ts';

export type PlaneOptions = {
  /** Folder of data, logs, credentials and kubeconfig; a second start resumes the cluster in it. */
  readonly dir: string;
  readonly onProgress?: (line: string) => void;
  /** Writes every request to `auditLog`, one JSON event per line, at the level Metadata. */
  readonly audit?: boolean;
  /** Keeps every version of every object in etcd, as JSON, for audits of the whole history. */
  readonly keepHistory?: boolean;
  /** Number of ended pods that the controller manager keeps; Kubernetes' default is 12,500. */
  readonly terminatedPodGcThreshold?: number;
  /** Appended to the flags of a part. */
  readonly extraFlags?: Readonly<Partial<Record<PartName | RealPartName, readonly string[]>>>;
  readonly signal?: AbortSignal;
};

/** Addresses and credentials of a cluster. */
export type Access = {
  /** The administrator's kubeconfig, whose context has the namespace `syncrator`. */
  readonly kubeconfig: string;
  readonly server: string;
  /** Address of etcd, without TLS, for audits of what was written. */
  readonly etcdUrl: string;
  /** The administrator's bearer token, for raw requests. */
  readonly token: string;
  /** The certificate authority in PEM. */
  readonly caFile: string;
  /** Environment of kubectl: KUBECONFIG, a PATH with it, and its cache folder (default without HOME: ./.kube). */
  readonly env: { readonly KUBECONFIG: string; readonly PATH: string; readonly KUBECACHEDIR: string };
  readonly binDir: string;
  readonly namespace: string;
  readonly dir: string;
  readonly auditLog: string | undefined;
};

export type Plane = {
  readonly access: Access;
  /** Settings for the parts of a node. */
  readonly settings: PlaneSettings;
  readonly parts: Readonly<Record<PlanePartName, Part>>;
  readonly as: (user: UserName) => Endpoint;
  /** Starts etcd and the apiserver, and writes the kubeconfigs. */
  startServers(): Promise<void>;
  /** Starts controller manager and scheduler, and creates the namespace. */
  startControllers(): Promise<void>;
  /**
   * Resolves when pods of our namespace can run on the node.
   * @throws Error that names the log with the cause
   */
  untilPodsAreAccepted(node: string, log: string): Promise<void>;
  /** Stops the parts in order, etcd last. */
  stop(): Promise<void>;
};

const READY_WITHIN_MS = 60_000;
const STOP_ORDER: readonly PlanePartName[] = ['scheduler', 'controller-manager', 'apiserver', 'etcd'];
const USERS: readonly UserName[] = ['admin', 'controller-manager', 'scheduler', 'kwok', 'kubelet'];

async function planeSettings(options: PlaneOptions, binDir: string): Promise<PlaneSettings> {
  const { dir } = options;
  for (const folder of ['logs', 'certs', 'pod-logs'])
    mkdirSync(path.join(dir, folder), { recursive: true, mode: 0o700 });
  const kubeconfigOf = (user: UserName) =>
    path.join(dir, user === 'admin' ? 'kubeconfig' : `credentials/${user}.kubeconfig`);
  return {
    dir,
    binDir,
    ports: await choosePorts(dir),
    credentials: ensureCredentials(dir),
    kubeconfigs: Object.fromEntries(USERS.map((user) => [user, kubeconfigOf(user)])) as Record<
      UserName,
      string
    >,
    auditPolicy: options.audit === true ? writeAuditPolicy(dir) : undefined,
    auditLog: path.join(dir, 'logs', 'audit.log'),
    keepHistory: options.keepHistory ?? false,
    terminatedPodGcThreshold: options.terminatedPodGcThreshold,
    extraFlags: options.extraFlags ?? {},
  };
}

function accessOf(settings: PlaneSettings, audit: boolean): Access {
  const { dir, binDir, ports, credentials, kubeconfigs, auditLog } = settings;
  return {
    kubeconfig: kubeconfigs.admin,
    server: `https://127.0.0.1:${ports.apiserver}`,
    etcdUrl: `http://127.0.0.1:${ports.etcd}`,
    token: credentials.tokens.admin,
    caFile: certificateFile(dir),
    env: {
      KUBECONFIG: kubeconfigs.admin,
      KUBECACHEDIR: path.join(dir, 'kubectl-cache'),
      PATH: `${binDir}${path.delimiter}${process.env['PATH'] ?? ''}`,
    },
    binDir,
    namespace: NAMESPACE,
    dir,
    auditLog: audit ? auditLog : undefined,
  };
}

/**
 * Writes settings and credentials; starts nothing.
 * @param options.dir an absolute path, owned by this process
 * @param binDir folder of the programs
 */
export async function preparePlane(options: PlaneOptions, binDir: string): Promise<Plane> {
  const { signal, onProgress = () => undefined } = options;
  const settings = await planeSettings(options, binDir);
  const { kubeconfigs, credentials } = settings;
  const parts = createParts(settings);
  const access = accessOf(settings, options.audit === true);
  const { server, caFile } = access;
  const as = (user: UserName): Endpoint => ({ url: server, caFile, token: credentials.tokens[user] });
  return {
    settings,
    parts,
    as,
    access,
    async startServers() {
      onProgress('starting etcd and the apiserver');
      await Promise.all([parts.etcd.start(), parts.apiserver.start()]);
      signal?.throwIfAborted();
      for (const user of USERS) {
        const token = credentials.tokens[user];
        writeKubeconfig(kubeconfigs[user], { server, caFile, user, token, namespace: NAMESPACE });
      }
    },
    async startControllers() {
      await Promise.all([
        createNamespace(as('admin')),
        parts['controller-manager'].start(),
        parts.scheduler.start(),
      ]);
    },
    async untilPodsAreAccepted(node, log) {
      const deadline = Date.now() + READY_WITHIN_MS;
      while (!(await acceptsPods(as('admin'), node, AbortSignal.timeout(5_000)))) {
        signal?.throwIfAborted();
        if (Date.now() > deadline)
          throw new Error(`the node ${node} was not ready within ${READY_WITHIN_MS / 1000} s; see ${log}`);
        await wait(50);
      }
    },
    async stop() {
      for (const name of STOP_ORDER) await parts[name].stop();
    },
  };
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
