/** Kubernetes' own controllers after an outage of their apiserver: their delays must not count against the product. */
import type { Cluster } from '../../../tools/cluster/cluster.ts';

/**
 * The scheduler looks for an apiserver again only after a minute. A controller-manager that finds none at its start
 * exits, and nothing here restarts it; a node's kubelet would.
 */
export async function rouseControllers({ parts }: Pick<Cluster, 'parts'>): Promise<void> {
  await parts.scheduler.restart();
  await parts['controller-manager'].start();
}
