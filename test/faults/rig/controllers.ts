/** Kubernetes' own controllers after their apiserver was away: what they do by themselves is not the product's to be measured by. */
import type { Cluster } from '../../../tools/cluster/cluster.ts';

/**
 * The scheduler looks for an apiserver again only a minute later. A controller-manager that finds none while it begins
 * ends, and is started again by nobody here; a node's kubelet would.
 */
export async function rouseControllers({ parts }: Pick<Cluster, 'parts'>): Promise<void> {
  await parts.scheduler.restart();
  await parts['controller-manager'].start();
}
