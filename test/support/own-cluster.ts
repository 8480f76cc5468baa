/** A test's own control plane, whose parts it may kill, pause and restart without harm to other files. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Cluster, type ClusterOptions, startCluster } from '../../tools/cluster/cluster.ts';
import type { ProvidedCluster } from './cluster-setup.ts';

export type OwnCluster = AsyncDisposable & ProvidedCluster & { readonly parts: Cluster['parts'] };

export async function startOwnCluster(options: Omit<ClusterOptions, 'dir'> = {}): Promise<OwnCluster> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-own-cluster-'));
  const cluster = await startCluster({ ...options, dir });
  const { kubeconfig, server, token, caFile, etcdUrl, parts } = cluster;
  return {
    kubeconfig,
    server,
    token,
    caFile,
    etcdUrl,
    parts,
    kubectl: path.join(cluster.binDir, 'kubectl'),
    async [Symbol.asyncDispose]() {
      await cluster.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
