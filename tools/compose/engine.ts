/** Runs a separate Docker engine (dockerd and its containerd), independent of one that the machine may have. */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { onPath } from '../../src/embedded/go-build.ts';
import { createPart, type Part } from '../cluster/part.ts';

const LOAD_MS = 5 * 60_000;

export type Engine = {
  /** URL of its socket, for DOCKER_HOST. */
  readonly host: string;
  /** Loads the image from an archive. */
  load(archive: string): Promise<void>;
  stop(): Promise<void>;
};

/** @throws Error that names the package to install */
export function checkEngineNeeds(): void {
  const missing = ['dockerd', 'docker', 'containerd', 'runc'].filter((name) => onPath(name) === undefined);
  if (missing.length > 0)
    throw new Error(`missing ${missing.join(', ')}: apt-get install --no-install-recommends docker.io`);
}

/** @param dir folder of its data and sockets; keep the path short, since sockets allow 108 characters */
export async function startEngine(dir: string): Promise<Engine> {
  mkdirSync(dir, { recursive: true, mode: 0o711 });
  const sockets = { containerd: path.join(dir, 'containerd.sock'), dockerd: path.join(dir, 'docker.sock') };
  const containerd = createContainerd(dir, sockets.containerd);
  const dockerd = createDockerd(dir, sockets);
  const stop = async () => {
    await dockerd.stop(30_000);
    await containerd.stop();
  };
  try {
    await containerd.start();
    await dockerd.start();
  } catch (error) {
    await stop();
    throw error;
  }
  const host = `unix://${sockets.dockerd}`;
  return {
    host,
    async load(archive) {
      const args = ['--host', host, 'load', '--quiet', '--input', archive];
      await promisify(execFile)('docker', args, { timeout: LOAD_MS });
    },
    stop,
  };
}

function createContainerd(dir: string, socket: string): Part {
  const at = (name: string) => path.join(dir, name);
  writeFileSync(
    at('containerd.toml'),
    `version = 2
root = ${JSON.stringify(at('containerd'))}
state = ${JSON.stringify(at('containerd-state'))}
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = ${JSON.stringify(socket)}
`,
  );
  return createPart({
    name: 'containerd',
    program: 'containerd',
    flags: ['--config', at('containerd.toml')],
    dir,
    logFile: at('containerd.log'),
    healthy: (signal) => listens(socket, signal),
  });
}

function createDockerd(dir: string, sockets: { containerd: string; dockerd: string }): Part {
  const at = (name: string) => path.join(dir, name);
  return createPart({
    name: 'dockerd',
    program: 'dockerd',
    // Leaves the machine's packet filter unchanged: containers reach each other, and published ports use a proxy.
    flags: [
      `--host=unix://${sockets.dockerd}`,
      `--containerd=${sockets.containerd}`,
      `--data-root=${at('data')}`,
      `--exec-root=${at('exec')}`,
      `--pidfile=${at('pid')}`,
      '--bridge=none',
      '--iptables=false',
      '--ip6tables=false',
      '--ip-masq=false',
      '--ip-forward=false',
    ],
    dir,
    logFile: at('dockerd.log'),
    healthy: (signal) => pings(sockets.dockerd, signal),
  });
}

function listens(socketPath: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path: socketPath, signal });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

function pings(socketPath: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const asked = http.get({ socketPath, path: '/_ping', signal }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.once('error', reject);
  });
}
