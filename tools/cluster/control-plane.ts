/** The flags of each part of the control plane, and where it tells whether it is well. */
import path from 'node:path';
import { type Endpoint, request } from './api.ts';
import type { Credentials } from './credentials.ts';
import { createPart, type Part, type PartName } from './part.ts';

export type Ports = Readonly<Record<PartName | 'etcd-peer' | 'kubelet', number>>;

export type PlaneOptions = {
  readonly dir: string;
  readonly binDir: string;
  readonly ports: Ports;
  readonly credentials: Credentials;
  readonly kwokConfig: string;
  readonly kubeconfigs: Readonly<Record<'controller-manager' | 'scheduler' | 'kwok', string>>;
  readonly auditPolicy: string | undefined;
  readonly auditLog: string;
  readonly keepHistory: boolean;
  readonly terminatedPodGcThreshold: number | undefined;
  readonly extraFlags: Readonly<Partial<Record<PartName, readonly string[]>>>;
};

/** The apiserver signs its certificate itself and writes its CA behind it: one file serves as certificate and as CA. */
export function certificateFile(dir: string): string {
  return path.join(dir, 'certs', 'apiserver.crt');
}

/** All parts, none of them started. */
export function createParts(options: PlaneOptions): Readonly<Record<PartName, Part>> {
  const { dir, binDir, ports, extraFlags } = options;
  const part = (
    name: PartName,
    program: string,
    flags: readonly string[],
    health: Endpoint & { path: string },
  ) =>
    createPart({
      name,
      program: path.join(binDir, program),
      flags: [...flags, ...(extraFlags[name] ?? [])],
      dir,
      logFile: path.join(dir, 'logs', `${name}.log`),
      healthy: async (signal) => (await request(health, 'GET', health.path, { signal })).status === 200,
    });
  const caFile = certificateFile(dir);
  const secure = (name: PartName, healthPath: string) => ({
    url: `https://127.0.0.1:${ports[name]}`,
    caFile,
    path: healthPath,
  });
  return {
    etcd: part('etcd', 'etcd', etcdFlags(options), {
      url: `http://127.0.0.1:${ports.etcd}`,
      path: '/health',
    }),
    apiserver: part('apiserver', 'kube-apiserver', apiserverFlags(options), {
      ...secure('apiserver', '/readyz'),
      token: options.credentials.tokens.admin,
    }),
    'controller-manager': part(
      'controller-manager',
      'kube-controller-manager',
      controllerManagerFlags(options),
      secure('controller-manager', '/healthz'),
    ),
    scheduler: part('scheduler', 'kube-scheduler', schedulerFlags(options), secure('scheduler', '/readyz')),
    kwok: part('kwok', 'kwok', kwokFlags(options), secure('kwok', '/healthz')),
  };
}

function etcdFlags({ dir, ports, keepHistory }: PlaneOptions): string[] {
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports['etcd-peer']}`;
  return [
    `--data-dir=${path.join(dir, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync', // survives SIGKILL, not a power cut
    '--log-level=warn',
    ...(keepHistory ? ['--quota-backend-bytes=6000000000'] : []),
  ];
}

function apiserverFlags(options: PlaneOptions): string[] {
  const { dir, ports, credentials, auditPolicy, auditLog } = options;
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${ports.apiserver}`,
    `--cert-dir=${path.join(dir, 'certs')}`,
    `--token-auth-file=${credentials.tokenFile}`,
    '--authorization-mode=Node,RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${credentials.serviceAccountPublicKey}`,
    `--service-account-signing-key-file=${credentials.serviceAccountKey}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--endpoint-reconciler-type=none', // it refuses to publish a loopback address, and says so for ever
    '--kubelet-preferred-address-types=InternalIP',
    '--profiling=false',
    ...(options.keepHistory ? ['--etcd-compaction-interval=0', '--storage-media-type=application/json'] : []),
    ...(auditPolicy === undefined
      ? []
      : [`--audit-policy-file=${auditPolicy}`, `--audit-log-path=${auditLog}`, '--audit-log-format=json']),
  ];
}

function controllerManagerFlags(options: PlaneOptions): string[] {
  const { dir, ports, credentials, kubeconfigs, terminatedPodGcThreshold } = options;
  return [
    `--kubeconfig=${kubeconfigs['controller-manager']}`,
    '--controllers=*',
    '--use-service-account-credentials',
    '--leader-elect=false',
    ...servingFlags(dir, ports['controller-manager']),
    `--service-account-private-key-file=${credentials.serviceAccountKey}`,
    `--root-ca-file=${certificateFile(dir)}`,
    // At the default of 20 requests a second, 200 Jobs take a minute.
    '--kube-api-qps=1000',
    '--kube-api-burst=2000',
    '--concurrent-job-syncs=20',
    ...(terminatedPodGcThreshold === undefined
      ? []
      : [`--terminated-pod-gc-threshold=${terminatedPodGcThreshold}`]),
  ];
}

function schedulerFlags({ dir, ports, kubeconfigs }: PlaneOptions): string[] {
  return [
    `--kubeconfig=${kubeconfigs.scheduler}`,
    '--leader-elect=false',
    ...servingFlags(dir, ports.scheduler),
    '--kube-api-qps=1000',
    '--kube-api-burst=2000',
  ];
}

/** kwok limits its own requests by nothing: there is no qps to raise. */
function kwokFlags({ dir, ports, kubeconfigs, kwokConfig }: PlaneOptions): string[] {
  return [
    `--kubeconfig=${kubeconfigs.kwok}`,
    `--config=${kwokConfig}`,
    '--manage-all-nodes=false',
    '--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake',
    '--cidr=10.128.0.1/16',
    '--node-ip=127.0.0.1',
    `--node-port=${ports.kubelet}`, // where the node's logs are asked for: pod-logs.ts
    `--server-address=127.0.0.1:${ports.kwok}`,
    `--tls-cert-file=${certificateFile(dir)}`,
    `--tls-private-key-file=${keyFile(dir)}`,
  ];
}

/** They serve with the apiserver's certificate, so that one CA verifies them all. */
function servingFlags(dir: string, port: number): string[] {
  return [
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${certificateFile(dir)}`,
    `--tls-private-key-file=${keyFile(dir)}`,
  ];
}

export function keyFile(dir: string): string {
  return path.join(dir, 'certs', 'apiserver.key');
}
