/**
 * Counts the pods that Kubernetes made for each of our Jobs, from the whole history of etcd: Kubernetes' own events
 * are lost when the apiserver is killed.
 */
import { openEtcd } from '../faults/audit/etcd.ts';
import { livesOf, PODS } from '../faults/audit/lives.ts';
import type { ProvidedCluster } from './cluster-setup.ts';

/** @param cluster started with its history kept */
export async function podsMade(
  cluster: Pick<ProvidedCluster, 'etcdUrl'>,
  namespace: string,
): Promise<Map<string, number>> {
  const { writes } = await openEtcd(cluster.etcdUrl).history([`${PODS}${namespace}/`]);
  const byJob = Map.groupBy(livesOf(writes, PODS), (life) => life.stepName);
  return new Map([...byJob].map(([name, pods]) => [name, pods.length]));
}
