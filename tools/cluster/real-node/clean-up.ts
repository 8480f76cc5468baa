/** Removes what a real node leaves on this machine after its parts have ended: containers, mounts, cgroups, the network. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { commandLine } from '../../../src/embedded/process-identity.ts';
import { signalProcess } from '../../../src/runner/process/process-stat.ts';
import { restoreKernelSettings } from './kernel-settings.ts';
import { removeNetwork } from './network.ts';
import { OWNER_FILE } from '../owner.ts';
import { CGROUP, CONTAINERD_NAMESPACE, CONTAINERD_SOCKET, CONTAINERD_STATE, RUN, WHOSE } from './places.ts';

const CGROUPS = '/sys/fs/cgroup';
/** The kubelet creates a link here for each container log. */
const LINKS = '/var/log/containers';
/** The kubelet creates a socket here, regardless of its --root-dir. */
const DEVICES = '/var/lib/kubelet/device-plugins';
const GONE_WITHIN_MS = 10_000;

/** True if another kubelet runs pods on this machine; they could not be distinguished from ours. */
export function hasStrangersPods(): boolean {
  return !existsSync(WHOSE) && podProcesses().length > 0;
}

/**
 * Cleans up after the present node, or after one whose owner was killed. Safe to repeat.
 * @throws Error if a process of a pod does not end
 */
export async function cleanUp(): Promise<void> {
  if (!existsSync(WHOSE)) return;
  const dir = readFileSync(WHOSE, 'utf8');
  await untilNoneIsLeft();
  for (const socket of shimSockets()) rmSync(socket, { force: true });
  // The deepest first: a pod's volumes lie below the folder of the pod.
  for (const mounted of mountsBelow([dir, RUN]).toReversed())
    await promisify(execFile)('umount', ['--lazy', mounted], { timeout: 10_000 });
  for (const root of podCgroups()) removeCgroup(root);
  await removeNetwork();
  removeLinks(dir);
  restoreKernelSettings();
  rmSync(path.join(DEVICES, 'kubelet.sock'), { force: true });
  for (const folder of [DEVICES, path.dirname(DEVICES)]) removeIfEmpty(folder);
  for (const entry of readdirSync(RUN))
    if (entry !== OWNER_FILE) rmSync(path.join(RUN, entry), { recursive: true });
}

/** Kills each by its pid: the containers' processes, and the shims of our containerd that hold them. */
async function untilNoneIsLeft(): Promise<void> {
  const deadline = Date.now() + GONE_WITHIN_MS;
  for (;;) {
    const left = [...shims(), ...podProcesses()];
    if (left.length === 0) return;
    if (Date.now() > deadline) throw new Error(`processes of pods do not end: ${left.join(', ')}`);
    for (const pid of left) signalProcess(pid, 'SIGKILL');
    await wait(50);
  }
}

function shims(): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      const line = commandLine(pid);
      return line.includes('containerd-shim') && line.includes(`-address ${CONTAINERD_SOCKET}`);
    });
}

/** containerd keeps the shims in its own folder, wherever its state is, and notes each container's folder there. */
function shimSockets(): string[] {
  const tasks = path.join(CONTAINERD_STATE, 'io.containerd.runtime.v2.task', CONTAINERD_NAMESPACE);
  if (!existsSync(tasks)) return [];
  return readdirSync(tasks)
    .map((container) => readIfThere(path.join(tasks, container, 'address')).replace(/^unix:\/\//, ''))
    .filter((socket) => socket !== '');
}

/** The kubelet's own cgroup, below the root or below each hierarchy. */
function podCgroups(): string[] {
  const hierarchies = existsSync(CGROUPS) ? readdirSync(CGROUPS).map((name) => path.join(CGROUPS, name)) : [];
  const roots = [CGROUPS, ...hierarchies].map((hierarchy) => path.join(hierarchy, CGROUP));
  return [...new Set(roots)].filter((root) => existsSync(path.join(root, 'cgroup.procs')));
}

function podProcesses(): number[] {
  const pids = podCgroups().flatMap((root) =>
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((file) => path.basename(file) === 'cgroup.procs')
      .flatMap((file) => readIfThere(path.join(root, file)).trim().split('\n')),
  );
  return [...new Set(pids)].filter((pid) => pid !== '').map(Number);
}

function removeCgroup(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeCgroup(path.join(folder, entry.name));
  rmdirSync(folder);
}

function mountsBelow(folders: readonly string[]): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .trim()
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replace(/\\040/g, ' '))
    .filter((mounted) => folders.some((folder) => mounted.startsWith(`${folder}/`)));
}

function removeLinks(dir: string): void {
  if (!existsSync(LINKS)) return;
  for (const entry of readdirSync(LINKS, { withFileTypes: true })) {
    const link = path.join(LINKS, entry.name);
    if (entry.isSymbolicLink() && readlinkSync(link).startsWith(`${dir}/`)) rmSync(link);
  }
}

/** Another kubelet may have used this folder before. */
function removeIfEmpty(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    // The container's cgroup has just disappeared.
    if (['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}
