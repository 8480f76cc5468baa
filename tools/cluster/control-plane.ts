/** The flags of each part of the control plane, and the address of its health check. */
import path from 'node:path';
import { type Endpoint, request } from './api.ts';
import type { Credentials, UserName } from './credentials.ts';
import { createPart, type Part, type PartName, type PlanePartName, type RealPartName } from './part.ts';

export type Ports = Readonly<Record<PartName | 'etcd-peer' | 'kubelet', number>>;

/** The values that the flags need. */
export type PlaneSettings = {
  readonly dir: string;
  readonly binDir: string;
  readonly ports: Ports;
  readonly credentials: Credentials;
  readonly kubeconfigs: Readonly<Record<UserName, string>>;
  readonly auditPolicy: string | undefined;
  readonly auditLog: string;
  readonly keepHistory: boolean;
  readonly terminatedPodGcThreshold: number | undefined;
  readonly extraFlags: Readonly<Partial<Record<PartName | RealPartName, readonly string[]>>>;
};

/** The apiserver signs its own certificate and appends its CA: one file serves as certificate and as CA. */
export function certificateFile(dir: string): string {
  return path.join(dir, 'certs', 'apiserver.crt');
}

/** The parts of the plane, not yet started. */
export function createParts(settings: PlaneSettings): Readonly<Record<PlanePartName, Part>> {
  const { dir, ports } = settings;
  return {
    etcd: create(settings, 'etcd', 'etcd', etcdFlags(settings), {
      url: `http://127.0.0.1:${ports.etcd}`,
      path: '/health',
    }),
    apiserver: create(settings, 'apiserver', 'kube-apiserver', apiserverFlags(settings), {
      ...secure(dir, ports.apiserver, '/readyz'),
      token: settings.credentials.tokens.admin,
    }),
    'controller-manager': create(
      settings,
      'controller-manager',
      'kube-controller-manager',
      controllerManagerFlags(settings),
      secure(dir, ports['controller-manager'], '/healthz'),
    ),
    scheduler: create(
      settings,
      'scheduler',
      'kube-scheduler',
      schedulerFlags(settings),
      secure(dir, ports.scheduler, '/readyz'),
    ),
  };
}

/** The kubelet of the fake node. */
export function createKwok(settings: PlaneSettings, configFile: string): Part {
  const health = secure(settings.dir, settings.ports.kwok, '/healthz');
  return create(settings, 'kwok', 'kwok', kwokFlags(settings, configFile), health);
}

/** The kubelet of a real one. */
export function createKubelet(settings: PlaneSettings, flags: readonly string[]): Part {
  const health = secure(settings.dir, settings.ports.kubelet, '/healthz');
  return create(settings, 'kubelet', 'kubelet', flags, health);
}

type Health = Endpoint & { readonly path: string };

function create(
  { dir, binDir, extraFlags }: PlaneSettings,
  name: PartName | RealPartName,
  program: string,
  flags: readonly string[],
  health: Health,
): Part {
  return createPart({
    name,
    program: path.join(binDir, program),
    flags: [...flags, ...(extraFlags[name] ?? [])],
    dir,
    logFile: path.join(dir, 'logs', `${name}.log`),
    healthy: async (signal) => (await request(health, 'GET', health.path, { signal })).status === 200,
  });
}

function secure(dir: string, port: number, healthPath: string): Health {
  return { url: `https://127.0.0.1:${port}`, caFile: certificateFile(dir), path: healthPath };
}

function etcdFlags({ dir, ports, keepHistory }: PlaneSettings): string[] {
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

function apiserverFlags(options: PlaneSettings): string[] {
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
    // the apiserver refuses to publish a loopback address, and logs that for ever
    '--endpoint-reconciler-type=none',
    '--kubelet-preferred-address-types=InternalIP',
    '--profiling=false',
    ...(options.keepHistory ? ['--etcd-compaction-interval=0', '--storage-media-type=application/json'] : []),
    ...(auditPolicy === undefined
      ? []
      : [`--audit-policy-file=${auditPolicy}`, `--audit-log-path=${auditLog}`, '--audit-log-format=json']),
  ];
}

function controllerManagerFlags(options: PlaneSettings): string[] {
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

function schedulerFlags({ dir, ports, kubeconfigs }: PlaneSettings): string[] {
  return [
    `--kubeconfig=${kubeconfigs.scheduler}`,
    '--leader-elect=false',
    ...servingFlags(dir, ports.scheduler),
    '--kube-api-qps=1000',
    '--kube-api-burst=2000',
  ];
}

/** kwok does not limit its own requests: there is no qps to raise. */
function kwokFlags({ dir, ports, kubeconfigs }: PlaneSettings, configFile: string): string[] {
  return [
    `--kubeconfig=${kubeconfigs.kwok}`,
    `--config=${configFile}`,
    '--manage-all-nodes=false',
    '--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake',
    '--cidr=10.128.0.1/16',
    '--node-ip=127.0.0.1',
    `--node-port=${ports.kubelet}`, // the address at which pod-logs.ts serves the node's logs
    `--server-address=127.0.0.1:${ports.kwok}`,
    `--tls-cert-file=${certificateFile(dir)}`,
    `--tls-private-key-file=${keyFile(dir)}`,
  ];
}

/** The parts serve with the apiserver's certificate, so that one CA verifies them all. */
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
