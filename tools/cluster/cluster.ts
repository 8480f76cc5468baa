/** Starts a real Kubernetes control plane with a fake node, whose pods behave as their annotations say. */
import path from 'node:path';
import { clusterBinaries } from './binaries.ts';
import { createKwok, keyFile } from './control-plane.ts';
import { writeKwokConfig } from './kwok-config.ts';
import { createFakeNode, NODE } from './objects.ts';
import { own } from './owner.ts';
import type { Part, PartName } from './part.ts';
import { type Access, type Plane, type PlaneOptions, preparePlane } from './plane.ts';
import { type PodLogs, servePodLogs } from './pod-logs.ts';

export type { Part, PartName } from './part.ts';

export type ClusterOptions = PlaneOptions & {
  /** When pods without such an annotation end: a duration such as `5s`, or `never` (default). */
  readonly finishAfter?: string;
};

export type PodRef = { readonly name: string; readonly namespace?: string; readonly container?: string };

export type Cluster = AsyncDisposable &
  Access & {
    readonly node: string;
    readonly parts: Readonly<Record<PartName, Part>>;
    /** Appends lines to the log of a fake pod's container (default `main`), which need not exist yet. */
    writeLog(pod: PodRef, lines: string | readonly string[]): void;
    /** Path of that log file in the CRI format; other processes may append to it, too. */
    logFile(pod: PodRef): string;
    /** Stops all parts, kwok first and etcd last. Safe to repeat. */
    stop(): Promise<void>;
    /** Sends SIGKILL to all parts at once. */
    kill(): Promise<void>;
  };

/**
 * Resolves when a pod can run. Builds the programs if they are missing, which takes minutes, once.
 * The cluster ends with this process, even when that is killed.
 * @throws Error when the folder is in use, a program cannot be built or a part does not come up
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { signal, onProgress = () => undefined } = options;
  const dir = path.resolve(options.dir);
  const binDir = await clusterBinaries(onProgress, process.env, signal);
  const release = own(dir);
  try {
    return await start({ ...options, dir, onProgress }, binDir, release);
  } catch (error) {
    release();
    throw error;
  }
}

async function start(
  options: ClusterOptions & Required<Pick<ClusterOptions, 'onProgress'>>,
  binDir: string,
  release: () => void,
): Promise<Cluster> {
  const { dir, onProgress } = options;
  const plane = await preparePlane(options, binDir);
  const { access, settings, as } = plane;
  const kwok = createKwok(settings, writeKwokConfig(dir, options.finishAfter ?? 'never'));
  const parts = { ...plane.parts, kwok };
  const killAll = () => Promise.all(Object.values(parts).map((part) => part.kill()));

  let logs: PodLogs | undefined;
  try {
    await plane.startServers();
    onProgress('starting the controller manager, the scheduler and kwok');
    logs = await servePodLogs({
      dir,
      port: settings.ports.kubelet,
      certFile: access.caFile,
      keyFile: keyFile(dir),
      api: as('kubelet'),
      available: () => kwok.state === 'running',
    });
    await Promise.all([
      createFakeNode(as('admin'), settings.ports.kubelet),
      plane.startControllers(),
      kwok.start(),
    ]);
    await plane.untilPodsAreAccepted(NODE, kwok.logFile);
  } catch (error) {
    await killAll();
    await logs?.close();
    throw error;
  }

  return toCluster({ plane, parts, kwok, podLogs: logs, killAll, release });
}

function toCluster(of: {
  plane: Plane;
  parts: Cluster['parts'];
  kwok: Part;
  podLogs: PodLogs;
  killAll: () => Promise<unknown>;
  release: () => void;
}): Cluster {
  const { plane, parts, kwok, podLogs, killAll, release } = of;
  const { access } = plane;
  const ref = ({ name, namespace = access.namespace, container = 'main' }: PodRef) => ({
    pod: name,
    namespace,
    container,
  });
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    await kwok.stop();
    await plane.stop();
    await podLogs.close();
    release();
  };
  const cluster: Cluster = {
    ...access,
    node: NODE,
    parts,
    writeLog: (pod, lines) => podLogs.write(ref(pod), typeof lines === 'string' ? [lines] : lines),
    logFile: (pod) => podLogs.file(ref(pod)),
    stop: () => (stopped ??= stop()),
    async kill() {
      await killAll();
      await cluster.stop();
    },
    [Symbol.asyncDispose]: () => cluster.stop(),
  };
  return cluster;
}
