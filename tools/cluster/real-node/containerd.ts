/** Configures a separate containerd, independent of one that the machine may run. */
import { mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { createPart, type Part } from '../part.ts';
import { PLUGINS } from './needs.ts';
import {
  CONTAINERD_SOCKET,
  CONTAINERD_STATE,
  containerdData,
  networkConfig,
  PAUSE_IMAGE,
  RUNC_STATE,
} from './places.ts';

/** Configures the part without starting it. */
export function createContainerd(dir: string, containerd: string): Part {
  const config = path.join(dir, 'containerd.toml');
  mkdirSync(containerdData(dir), { recursive: true, mode: 0o711 });
  writeFileSync(config, settings(dir));
  return createPart({
    name: 'containerd',
    program: containerd,
    flags: ['--config', config],
    dir,
    logFile: path.join(dir, 'logs', 'containerd.log'),
    healthy: answers,
  });
}

function settings(dir: string): string {
  return `
version = 2
root = ${JSON.stringify(containerdData(dir))}
state = ${JSON.stringify(CONTAINERD_STATE)}
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing",
]
[grpc]
  address = ${JSON.stringify(CONTAINERD_SOCKET)}
[plugins."io.containerd.internal.v1.opt"]
  path = ${JSON.stringify(path.join(containerdData(dir), 'opt'))}
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${JSON.stringify(PAUSE_IMAGE)}
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  # Without CAP_SYS_RESOURCE, as in some virtual machines, no sandbox could be made otherwise.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      Root = ${JSON.stringify(RUNC_STATE)}
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${JSON.stringify(PLUGINS)}
    conf_dir = ${JSON.stringify(networkConfig(dir))}
`;
}

function answers(signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path: CONTAINERD_SOCKET, signal });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
