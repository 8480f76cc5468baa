/**
 * The paths and addresses of the one real node of this machine: data in the cluster's folder, temporary state in
 * /run.
 */
import path from 'node:path';

/** Only one node at a time: its network and its cgroup belong to the machine. */
export const RUN = '/run/syncrator-cluster';
export const CONTAINERD_SOCKET = path.join(RUN, 'containerd.sock');
export const CONTAINERD_STATE = path.join(RUN, 'containerd');
export const RUNC_STATE = path.join(RUN, 'runc');
/** Records the address of each pod. */
export const LEASES = path.join(RUN, 'leases');
/** The kernel settings from before our start. */
export const KEPT_SETTINGS = path.join(RUN, 'settings.json');
/** The cluster's folder to which this state belongs. */
export const WHOSE = path.join(RUN, 'cluster');
/** The kubelet's own cgroup, below each hierarchy. */
export const CGROUP = 'kubepods';
export const BRIDGE = 'syncrator0';
/** Address of this machine in the pods' network. */
export const HOST_ADDRESS = '10.88.0.1';
export const SUBNET = '10.88.0.0/16';
/** Address of the Service that resolves names for pods; reserved, as one of the first addresses of the range. */
export const NAME_SERVER = '10.96.0.10';
export const CLUSTER_DOMAIN = 'cluster.local';
/** An address, not a name, so that apiserver and kubelet find each other on the loopback interface. */
export const NODE = '127.0.0.1';
/** Not `localhost/…`, which containerd would look for in a registry. */
export const PAUSE_IMAGE = 'docker.io/library/syncrator-pause:1';
/** The kubelet's containerd namespace, with its images and containers. */
export const CONTAINERD_NAMESPACE = 'k8s.io';

export const containerdData = (dir: string) => path.join(dir, 'containerd');
export const kubeletData = (dir: string) => path.join(dir, 'kubelet');
export const networkConfig = (dir: string) => path.join(dir, 'network');
export const podLogs = (dir: string) => path.join(dir, 'container-logs');
