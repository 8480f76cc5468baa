/** A cluster of one real node on this machine: kubelet, containerd and runc, so that pods are processes in containers. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { onPath } from '../../src/embedded/go-build.ts';
import { clusterBinaries } from './binaries.ts';
import { PROGRAMS, REAL_NODE_PROGRAMS } from './builds.ts';
import { createKubelet } from './control-plane.ts';
import { own } from './owner.ts';
import type { Part, RealPartName } from './part.ts';
import { type Access, type PlaneOptions, preparePlane } from './plane.ts';
import { cleanUp, hasStrangersPods } from './real-node/clean-up.ts';
import { createContainerd } from './real-node/containerd.ts';
import { keepKernelSettings } from './real-node/kernel-settings.ts';
import { kubeletFlags } from './real-node/kubelet.ts';
import { checkNeeds } from './real-node/needs.ts';
import { makeNetwork } from './real-node/network.ts';
import { withPauseImage } from './real-node/pause-image.ts';
import { type Services, startServices } from './real-node/services.ts';
import {
  CONTAINERD_NAMESPACE,
  CONTAINERD_SOCKET,
  HOST_ADDRESS,
  NODE,
  RUN,
  WHOSE,
} from './real-node/places.ts';

export type RealCluster = AsyncDisposable &
  Access & {
    readonly node: string;
    readonly parts: Readonly<Record<RealPartName, Part>>;
    /** Address at which pods reach this machine; see real-node/reach.ts. */
    readonly hostAddress: string;
    /** Loads an image from an archive in the format of `docker save`; pods then need no registry for it. */
    loadImage(archive: string): Promise<void>;
    /** Ends every pod and every part, and leaves this machine as it was. Safe to repeat. */
    stop(): Promise<void>;
  };

const IMPORT_MS = 120_000;
/** Sockets and mounts lie below it, and the kernel limits their paths to 108 characters. */
const LONGEST_DIR = 60;

/**
 * Resolves when a pod can run. A machine can have only one such cluster at a time. If this process is killed, the
 * parts end with it; the containers run on until the next start ends them.
 * @throws Error that says what to install, or what did not come up
 */
export async function startRealCluster(options: PlaneOptions): Promise<RealCluster> {
  const { signal, onProgress = () => undefined } = options;
  checkNeeds();
  const dir = path.resolve(options.dir);
  if (dir.length > LONGEST_DIR)
    throw new Error(`${dir} is too long a path for a cluster with real pods: choose another one by --dir`);
  const binDir = await clusterBinaries(onProgress, process.env, signal, [...PROGRAMS, ...REAL_NODE_PROGRAMS]);
  const release = [own(RUN)];
  try {
    release.push(own(dir));
    if (hasStrangersPods()) throw new Error('another kubelet runs pods on this machine: stop it first');
    await cleanUp(); // removes what a killed owner left
    return await start({ ...options, dir, onProgress }, binDir, () => release.forEach((each) => each()));
  } catch (error) {
    release.forEach((each) => each());
    throw error;
  }
}

async function start(
  options: PlaneOptions & Required<Pick<PlaneOptions, 'onProgress'>>,
  binDir: string,
  release: () => void,
): Promise<RealCluster> {
  const { dir, onProgress } = options;
  writeFileSync(WHOSE, dir);
  keepKernelSettings();
  const plane = await preparePlane(options, binDir);
  const containerd = createContainerd(dir, onPath('containerd') ?? 'containerd');
  const kubelet = createKubelet(plane.settings, kubeletFlags(plane.settings));
  const parts = { ...plane.parts, containerd, kubelet };
  const loadImage = async (archive: string) => {
    const ctr = ['--address', CONTAINERD_SOCKET, '--namespace', CONTAINERD_NAMESPACE];
    await promisify(execFile)('ctr', [...ctr, 'images', 'import', archive], { timeout: IMPORT_MS });
  };
  let services: Services | undefined;
  try {
    await makeNetwork(dir);
    await Promise.all([plane.startServers(), containerd.start()]);
    services = await startServices(plane.as('admin'), onProgress);
    onProgress('starting the controller manager, the scheduler and the kubelet');
    await withPauseImage(path.join(binDir, 'pause'), loadImage);
    await Promise.all([plane.startControllers(), kubelet.start()]);
    await plane.untilPodsAreAccepted(NODE, kubelet.logFile);
  } catch (error) {
    await services?.stop();
    await Promise.all(Object.values(parts).map((part) => part.kill()));
    await cleanUp();
    throw error;
  }
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    await kubelet.stop(); // first, because the kubelet would restart what we end
    await containerd.stop();
    await services?.stop();
    await cleanUp();
    await plane.stop();
    release();
  };
  const cluster: RealCluster = {
    ...plane.access,
    node: NODE,
    parts,
    hostAddress: HOST_ADDRESS,
    loadImage,
    stop: () => (stopped ??= stop()),
    [Symbol.asyncDispose]: () => cluster.stop(),
  };
  return cluster;
}
