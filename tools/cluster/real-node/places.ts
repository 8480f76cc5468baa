/** Where the one real node of this machine has its things: its data in the cluster's folder, what ends with it in /run. */
import path from 'node:path';

/** Only one node at a time: its network and its cgroup are the machine's. */
export const RUN = '/run/syncrator-cluster';
export const CONTAINERD_SOCKET = path.join(RUN, 'containerd.sock');
export const CONTAINERD_STATE = path.join(RUN, 'containerd');
export const RUNC_STATE = path.join(RUN, 'runc');
/** Which pod has which address. */
export const LEASES = path.join(RUN, 'leases');
/** What the kernel was told before we came. */
export const KEPT_SETTINGS = path.join(RUN, 'settings.json');
/** The folder of the cluster whose things these are. */
export const WHOSE = path.join(RUN, 'cluster');
/** The kubelet's own, below each hierarchy of cgroups. */
export const CGROUP = 'kubepods';
export const BRIDGE = 'syncrator0';
/** This machine, as pods reach it. */
export const HOST_ADDRESS = '10.88.0.1';
export const SUBNET = '10.88.0.0/16';
/** Of the Services that answers what pods ask of names; none else gets it, being of the range's first addresses. */
export const NAME_SERVER = '10.96.0.10';
export const CLUSTER_DOMAIN = 'cluster.local';
/** As an address, so that apiserver and kubelet find each other on the loopback interface. */
export const NODE = '127.0.0.1';
/** What `localhost/…` would make of it, containerd would look for in a registry. */
export const PAUSE_IMAGE = 'docker.io/library/syncrator-pause:1';
/** In which the kubelet's images and containers are. */
export const CONTAINERD_NAMESPACE = 'k8s.io';

export const containerdData = (dir: string) => path.join(dir, 'containerd');
export const kubeletData = (dir: string) => path.join(dir, 'kubelet');
export const networkConfig = (dir: string) => path.join(dir, 'network');
export const podLogs = (dir: string) => path.join(dir, 'container-logs');
