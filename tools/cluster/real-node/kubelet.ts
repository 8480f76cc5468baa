/** The kubelet's flags and settings: it listens on the loopback interface only, and uses its own folders. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { certificateFile, keyFile, type PlaneSettings } from '../control-plane.ts';
import { CLUSTER_DOMAIN, CONTAINERD_SOCKET, kubeletData, NAME_SERVER, NODE, podLogs } from './places.ts';

/** Writes its settings. @returns its flags */
export function kubeletFlags({ dir, kubeconfigs, ports }: PlaneSettings): string[] {
  const config = path.join(dir, 'kubelet.json');
  mkdirSync(podLogs(dir), { recursive: true, mode: 0o700 });
  writeFileSync(config, JSON.stringify(settings(dir, ports.kubelet), undefined, 2));
  return [
    `--config=${config}`,
    `--kubeconfig=${kubeconfigs.kubelet}`,
    `--root-dir=${kubeletData(dir)}`,
    `--hostname-override=${NODE}`,
  ];
}

function settings(dir: string, port: number): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: '127.0.0.1',
    port,
    healthzPort: 0,
    tlsCertFile: certificateFile(dir),
    tlsPrivateKeyFile: keyFile(dir),
    // The apiserver has no client certificate, and only this machine can reach the kubelet.
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    podLogsDir: podLogs(dir),
    cgroupDriver: 'cgroupfs',
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    makeIPTablesUtilChains: false,
    // Keeps imported images, and does not evict pods because of a developer's full disk.
    imageGCHighThresholdPercent: 100,
    evictionHard: {
      'memory.available': '100Mi',
      'nodefs.available': '1%',
      'imagefs.available': '1%',
      'nodefs.inodesFree': '1%',
    },
    maxPods: 50,
    clusterDomain: CLUSTER_DOMAIN,
    clusterDNS: [NAME_SERVER],
  };
}
