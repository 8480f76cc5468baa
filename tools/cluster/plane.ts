/** The control plane of a folder, without a node: what clusters with fake and with real pods have in common. */
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
  /** Data, logs, credentials and kubeconfig of the cluster; a second start on it goes on where the first ended. */
  readonly dir: string;
  readonly onProgress?: (line: string) => void;
  /** Writes every request to `auditLog`, one JSON event per line, at the level Metadata. */
  readonly audit?: boolean;
  /** Every version of every object stays in etcd, as JSON: for an audit of all that ever was. */
  readonly keepHistory?: boolean;
  /** How many ended pods the controller manager leaves; Kubernetes' own default is 12,500. */
  readonly terminatedPodGcThreshold?: number;
  /** Appended to the flags of a part. */
  readonly extraFlags?: Readonly<Partial<Record<PartName | RealPartName, readonly string[]>>>;
  readonly signal?: AbortSignal;
};

/** How others reach a cluster. */
export type Access = {
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
  readonly dir: string;
  readonly auditLog: string | undefined;
};

export type Plane = {
  readonly access: Access;
  /** What a node's own parts are made of. */
  readonly settings: PlaneSettings;
  readonly parts: Readonly<Record<PlanePartName, Part>>;
  readonly as: (user: UserName) => Endpoint;
  /** etcd and the apiserver; whoever has a kubeconfig can use it then. */
  startServers(): Promise<void>;
  /** The controllers, and the namespace. */
  startControllers(): Promise<void>;
  /** Resolves when pods of our namespace may run on the node. @throws Error naming the log that tells why not */
  untilPodsAreAccepted(node: string, log: string): Promise<void>;
  /** In order, etcd last. */
  stop(): Promise<void>;
};

const READY_WITHIN_MS = 60_000;
const STOP_ORDER: readonly PlanePartName[] = ['scheduler', 'controller-manager', 'apiserver', 'etcd'];
const USERS: readonly UserName[] = ['admin', 'controller-manager', 'scheduler', 'kwok', 'kubelet'];

/**
 * Nothing runs yet. @param options.dir an absolute path, owned by this process
 * @param binDir where the programs are
 */
export async function preparePlane(options: PlaneOptions, binDir: string): Promise<Plane> {
  const { dir, signal, onProgress = () => undefined } = options;
  for (const folder of ['logs', 'certs', 'pod-logs'])
    mkdirSync(path.join(dir, folder), { recursive: true, mode: 0o700 });
  const ports = await choosePorts(dir);
  const credentials = ensureCredentials(dir);
  const auditLog = path.join(dir, 'logs', 'audit.log');
  const kubeconfigs = Object.fromEntries(
    USERS.map((user) => [
      user,
      path.join(dir, user === 'admin' ? 'kubeconfig' : `credentials/${user}.kubeconfig`),
    ]),
  ) as Record<UserName, string>;
  const settings: PlaneSettings = {
    dir,
    binDir,
    ports,
    credentials,
    kubeconfigs,
    auditPolicy: options.audit === true ? writeAuditPolicy(dir) : undefined,
    auditLog,
    keepHistory: options.keepHistory ?? false,
    terminatedPodGcThreshold: options.terminatedPodGcThreshold,
    extraFlags: options.extraFlags ?? {},
  };
  const parts = createParts(settings);
  const server = `https://127.0.0.1:${ports.apiserver}`;
  const caFile = certificateFile(dir);
  const as = (user: UserName): Endpoint => ({ url: server, caFile, token: credentials.tokens[user] });
  return {
    settings,
    parts,
    as,
    access: {
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
      dir,
      auditLog: options.audit === true ? auditLog : undefined,
    },
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
