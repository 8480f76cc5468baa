/** Programs to build, with their Go packages and the usual duration of a first build. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The Kubernetes version of go.mod. */
export const KUBERNETES_VERSION = versionInGoMod('k8s.io/kubernetes');
/** The cache folder is named by the Kubernetes version alone: after changing this version, delete the cached kwok. */
const KWOK_VERSION = 'v0.7.0';

export type Program = {
  readonly name: string;
  /** Measured on 2 cores with an empty Go build cache, each after the ones before it. */
  readonly usually: string;
  /** The arguments with which `go` leaves the program in the folder. */
  readonly goArguments: (folder: string) => readonly string[];
};

/** The module with the versions; read-only for Go. */
export const BUILD_PLACE = {
  cwd: import.meta.dirname,
  env: { GOFLAGS: '-mod=readonly', GOWORK: 'off' },
} as const;

// Without a version, kubectl cannot parse the server's.
const KUBERNETES_FLAGS = `-s -w -X k8s.io/component-base/version.gitVersion=${KUBERNETES_VERSION}`;

/** In this order, because the later ones use what Go compiled for the earlier ones. */
export const PROGRAMS: readonly Program[] = [
  built('etcd', 'go.etcd.io/etcd/server/v3', '-s -w', '30 s'),
  built('kube-apiserver', 'k8s.io/kubernetes/cmd/kube-apiserver', KUBERNETES_FLAGS, '3 minutes'),
  built(
    'kube-controller-manager',
    'k8s.io/kubernetes/cmd/kube-controller-manager',
    KUBERNETES_FLAGS,
    '1 minute',
  ),
  built('kube-scheduler', 'k8s.io/kubernetes/cmd/kube-scheduler', KUBERNETES_FLAGS, '10 s'),
  built('kubectl', 'k8s.io/kubernetes/cmd/kubectl', KUBERNETES_FLAGS, '30 s'),
  {
    // Requires older versions of the Kubernetes libraries than ours, so it is not in our module.
    name: 'kwok',
    usually: '2 minutes',
    goArguments: () => ['install', '-ldflags', '-s -w', `sigs.k8s.io/kwok/cmd/kwok@${KWOK_VERSION}`],
  },
];

/** Additional programs of a node with real pods. */
export const REAL_NODE_PROGRAMS: readonly Program[] = [
  built('kubelet', 'k8s.io/kubernetes/cmd/kubelet', KUBERNETES_FLAGS, '1 minute'),
  built('pause', './real-node/pause', '-s -w', '2 s'),
];

function built(name: string, goPackage: string, ldflags: string, usually: string): Program {
  const goArguments = (folder: string) => [
    'build',
    '-ldflags',
    ldflags,
    '-o',
    path.join(folder, name),
    goPackage,
  ];
  return { name, usually, goArguments };
}

function versionInGoMod(module: string): string {
  const text = readFileSync(path.join(import.meta.dirname, 'go.mod'), 'utf8');
  const line = text.split('\n').find((candidate) => candidate.trim().startsWith(`${module} v`));
  const version = line?.trim().split(' ')[1];
  if (version === undefined) throw new Error(`tools/cluster/go.mod requires no ${module}`);
  return version;
}
