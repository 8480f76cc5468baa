/** A Docker engine of our own, beside whatever else of the kind is on the machine: dockerd and the containerd below it. */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { onPath } from '../../src/embedded/go-build.ts';
import { createPart } from '../cluster/part.ts';

const LOAD_MS = 5 * 60_000;

export type Engine = {
  /** Of its socket, for DOCKER_HOST. */
  readonly host: string;
  /** Gives it an image out of an archive. */
  load(archive: string): Promise<void>;
  stop(): Promise<void>;
};

/** @throws Error that says what to install */
export function checkEngineNeeds(): void {
  const missing = ['dockerd', 'docker', 'containerd', 'runc'].filter((name) => onPath(name) === undefined);
  if (missing.length > 0)
    throw new Error(`there is no ${missing.join(', ')}: apt-get install --no-install-recommends docker.io`);
}

/** @param dir for all that it has; a short path, since sockets are in it */
export async function startEngine(dir: string): Promise<Engine> {
  mkdirSync(dir, { recursive: true, mode: 0o711 });
  const at = (name: string) => path.join(dir, name);
  const sockets = { containerd: at('containerd.sock'), dockerd: at('docker.sock') };
  writeFileSync(
    at('containerd.toml'),
    `version = 2
root = ${JSON.stringify(at('containerd'))}
state = ${JSON.stringify(at('containerd-state'))}
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = ${JSON.stringify(sockets.containerd)}
`,
  );
  const containerd = createPart({
    name: 'containerd',
    program: 'containerd',
    flags: ['--config', at('containerd.toml')],
    dir,
    logFile: at('containerd.log'),
    healthy: (signal) => listens(sockets.containerd, signal),
  });
  const dockerd = createPart({
    name: 'dockerd',
    program: 'dockerd',
    // The machine's packet filter is not ours: what its containers reach is each other, and ports by a proxy.
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
      await promisify(execFile)('docker', ['--host', host, 'load', '--quiet', '--input', archive], {
        timeout: LOAD_MS,
      });
    },
    stop,
  };
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
