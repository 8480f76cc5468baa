/** Starts one real Kubernetes control plane for the whole test run, in a temporary folder. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { startCluster } from '../../tools/cluster/cluster.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    cluster: ProvidedCluster;
  }
}

/** The administrator's kubeconfig. */
export type ProvidedCluster = {
  readonly kubeconfig: string;
  readonly server: string;
  readonly token: string;
  readonly caFile: string;
  readonly etcdUrl: string;
  readonly kubectl: string;
};

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-cluster-'));
  const cluster = await startCluster({
    dir,
    keepHistory: true,
    onProgress: (line) => console.log(`[cluster] ${line}`),
  });
  const { kubeconfig, server, token, caFile, etcdUrl } = cluster;
  const kubectl = path.join(cluster.binDir, 'kubectl');
  project.provide('cluster', { kubeconfig, server, token, caFile, etcdUrl, kubectl });
  return async () => {
    await cluster.stop();
    rmSync(dir, { recursive: true, force: true });
  };
}
