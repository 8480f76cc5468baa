/**
 * Runs containers of an image by runc, as a cluster runs `restricted` pods: the image's own user, command,
 * variables and folder, a read-only root, no capabilities, limits. They share this machine's network, where the
 * tests' servers are.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const DEADLINE_MS = 30_000;

/** How an image wants to be run. */
export type ImageConfig = {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly WorkingDir: string;
  readonly Healthcheck: { readonly Test: readonly string[] };
};

export type Image = { readonly rootfs: string; readonly config: ImageConfig };

export type Container = AsyncDisposable & {
  /** Its output on both streams. */
  output(): string;
  /** The exit code of its first process. */
  readonly ended: Promise<number>;
  signal(signal: 'TERM' | 'KILL'): Promise<void>;
  /** Runs a command in it, as `docker exec` does. */
  exec(...command: string[]): Promise<{ code: number; output: string }>;
  /** Names of its processes. */
  processes(): Promise<string[]>;
  /** Total of all its processes. */
  residentBytes(): Promise<number>;
};

type Options = {
  /** Arguments after the image's entry point, or after `command`. */
  readonly args: readonly string[];
  /** Replaces the image's entry point, like the command of a pod. */
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Folders of this machine by their place in the container; a place that ends with `:rw` is writable. */
  readonly mounts?: Readonly<Record<string, string>>;
};

const SHARED_MEMORY = ['nosuid', 'nodev', 'mode=1777', 'size=64m'];

/** Starts it; disposing kills it if it still runs. */
export function startContainer({ rootfs, config }: Image, options: Options): Container {
  const id = `syncrator-test-${randomUUID()}`;
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-container-'));
  const variables = new Map(config.Env.map((line) => [line.slice(0, line.indexOf('=')), line]));
  for (const [name, value] of Object.entries(options.environment ?? {}))
    variables.set(name, `${name}=${value}`);
  const binds = Object.entries(options.mounts ?? {}).map(([to, from]) => ({
    destination: to.replace(/:rw$/, ''),
    source: from,
    type: 'bind',
    options: ['rbind', to.endsWith(':rw') ? 'rw' : 'ro'],
  }));
  const specification = {
    ociVersion: '1.0.2',
    root: { path: rootfs, readonly: true },
    hostname: 'container',
    process: {
      user: { uid: Number(config.User), gid: Number(config.User) },
      args: [...(options.command ?? config.Entrypoint), ...options.args],
      env: [...variables.values()],
      cwd: config.WorkingDir,
      noNewPrivileges: true,
      capabilities: { bounding: [], effective: [], permitted: [] },
    },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=64k'] },
      { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: SHARED_MEMORY },
      ...binds,
    ],
    linux: {
      namespaces: ['pid', 'mount', 'ipc', 'uts'].map((type) => ({ type })),
      cgroupsPath: `/${id}`,
      resources: { memory: { limit: 512 * 1024 ** 2 }, pids: { limit: 200 } },
    },
  };
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify(specification));
  const runc = (...args: string[]) =>
    run('runc', ['--root', path.join(folder, 'state'), ...args], { timeout: DEADLINE_MS });
  const ofProcesses = async (what: string) => {
    const pids = JSON.parse((await runc('ps', '--format', 'json', id)).stdout) as number[];
    return (await run('ps', ['-o', what, '-p', pids.join(',')])).stdout.trim().split(/\s+/);
  };
  const child = spawn('runc', ['--root', path.join(folder, 'state'), 'run', '--bundle', folder, id], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const ended = endOf(child);
  return {
    ended,
    output: () => output,
    async signal(signal) {
      await runc('kill', id, signal);
    },
    async exec(...command) {
      const args = ['exec', '--user', config.User, '--cwd', config.WorkingDir, id, ...command];
      return await runc(...args).then(
        ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
        (error: unknown) => {
          const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
          if (typeof code !== 'number') throw error; // its deadline passed, or runc is missing
          return { code, output: stdout + stderr };
        },
      );
    },
    processes: () => ofProcesses('comm='),
    async residentBytes() {
      const kib = (await ofProcesses('rss=')).map(Number);
      return kib.reduce((sum, one) => sum + one, 0) * 1024;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null)
        await runc('kill', id, 'KILL').catch(() => child.kill('SIGKILL'));
      await ended;
      await runc('delete', '--force', id);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function endOf(child: ChildProcess): Promise<number> {
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (code === null) throw new Error(`runc ended by ${signal ?? 'itself, without an exit code'}`);
  return code;
}
