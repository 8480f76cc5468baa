/** A cluster whose pods are containers of our image, in a namespace that admits only `restricted` pods. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createClient, type KubernetesClient } from '../../src/runner/kubernetes/apiserver/client.ts';
import { createKubernetesRunner } from '../../src/runner/kubernetes/runner.ts';
import { type RealCluster, startRealCluster } from '../../tools/cluster/real-cluster.ts';
import type { Forward } from '../../tools/cluster/real-node/forward.ts';
import { letPodsReach } from '../../tools/cluster/real-node/reach.ts';
import { createWorkerAccount, kubectlIn } from '../../tools/cluster/worker-account.ts';
import { connectAsAdmin } from './connect-kubernetes.ts';
import type { Ground } from './runner-env.ts';

export type RealPods = AsyncDisposable & {
  readonly cluster: RealCluster;
  /** The ground that steps run on. */
  readonly ground: Ground;
  /** The administrator's kubeconfig. */
  readonly client: KubernetesClient;
  /** The worker account's kubeconfig. */
  readonly kubeconfig: string;
  kubectl(...args: string[]): Promise<string>;
  /** The address at which pods reach a server on 127.0.0.1. */
  reach(url: string): Promise<string>;
};

/** @param archive of the image that its pods run */
export async function startRealPods(archive: string): Promise<RealPods> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-real-'));
  const cluster = await startRealCluster({ dir, onProgress: (line) => console.log(`[cluster] ${line}`) });
  const undo: (() => Promise<unknown>)[] = [() => cluster.stop()];
  const dispose = async () => {
    for (const one of undo.toReversed()) await one();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await cluster.loadImage(archive);
    const namespace = `test-${randomBytes(4).toString('hex')}`;
    const kubeconfig = path.join(dir, 'worker.kubeconfig');
    const admin = { ...cluster, kubectl: path.join(cluster.binDir, 'kubectl') };
    await createWorkerAccount(admin, { namespace, forceDelete: false, kubeconfig });
    const kubectl = kubectlIn(admin, namespace);
    await kubectl('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted');
    const connection = connectAsAdmin(cluster, namespace);
    undo.push(() => connection.close());
    const client = createClient(connection);
    const ended = new AbortController();
    const reached = new Map<string, Promise<Forward>>();
    undo.push(async () => {
      ended.abort();
      for (const one of reached.values()) await (await one).close();
    });
    const ground: Ground = {
      name: 'kubernetes',
      environment: { RUNNER: 'kubernetes', KUBECONFIG: kubeconfig },
      runner: (installation) =>
        createKubernetesRunner({
          client,
          installation,
          podOverrides: {},
          onTrouble: () => undefined,
          signal: ended.signal,
        }),
      dispose: async () => undefined,
    };
    return {
      cluster,
      ground,
      client,
      kubeconfig,
      kubectl,
      async reach(url) {
        const there = new URL(url);
        if (!reached.has(there.port)) reached.set(there.port, letPodsReach(Number(there.port)));
        await reached.get(there.port);
        there.hostname = cluster.hostAddress;
        return there.href.replace(/\/$/, '');
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
