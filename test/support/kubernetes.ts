/** A new namespace on the run's control plane, whose worker account has exactly the Role that we publish. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createClient, type KubernetesClient } from '../../src/runner/kubernetes/apiserver/client.ts';
import { createKubernetesRunner } from '../../src/runner/kubernetes/runner.ts';
import { createWorkerAccount, kubectlIn } from '../../tools/cluster/worker-account.ts';
import { type Actor, startActor } from './pod-actor.ts';
import type { ProvidedCluster } from './cluster-setup.ts';
import { connectAsAdmin } from './connect-kubernetes.ts';
import type { Ground } from './runner-env.ts';

export type KubernetesGround = Ground & {
  readonly namespace: string;
  readonly actor: Actor;
  /** The administrator's kubeconfig. */
  readonly client: KubernetesClient;
  kubectl(...args: string[]): Promise<string>;
};

/**
 * @param options.actor false: pods do only what their annotations say
 * @param options.forceDelete adds the optional Role
 */
export async function createKubernetesGround(
  cluster: ProvidedCluster,
  options: { actor?: boolean; forceDelete?: boolean } = {},
): Promise<KubernetesGround> {
  const namespace = `test-${randomBytes(4).toString('hex')}`;
  const folder = await mkdtemp(path.join(os.tmpdir(), 'syncrator-kube-'));
  const kubectl = kubectlIn(cluster, namespace);
  const kubeconfig = path.join(folder, 'worker.kubeconfig');
  await createWorkerAccount(cluster, { namespace, forceDelete: options.forceDelete ?? false, kubeconfig });
  const connection = connectAsAdmin(cluster, namespace);
  const client = createClient(connection);
  const ended = new AbortController();
  const actor = await startActor(cluster, { namespace, client, play: options.actor ?? true });
  return {
    name: 'kubernetes',
    namespace,
    actor,
    client,
    kubectl,
    environment: { RUNNER: 'kubernetes', KUBECONFIG: kubeconfig },
    runner: (installation) =>
      createKubernetesRunner({
        client,
        installation,
        podOverrides: {},
        onTrouble: () => undefined,
        signal: ended.signal,
      }),
    async dispose() {
      ended.abort();
      await actor.stop();
      await connection.close();
      await kubectl('delete', 'namespace', namespace, '--wait=false');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
