/** Opens the Kubernetes runner on the cluster of the settings, and checks the permissions of its account. */
import type { Runner } from '../runner.ts';
import { missingRights } from './apiserver/permissions.ts';
import { createClient, type OnCall } from './apiserver/client.ts';
import { connectKubernetes, type ConnectionSettings } from './apiserver/connection.ts';
import { createKubernetesRunner, type KubernetesRunnerOptions } from './runner.ts';

type Options = Omit<KubernetesRunnerOptions, 'client'> & {
  readonly cluster: ConnectionSettings;
  readonly onCall?: OnCall | undefined;
};

/**
 * Reports an unreachable cluster to `onTrouble` and opens the runner all the same, since the cluster may come back.
 * @throws Error when no cluster is configured, or the account lacks a permission
 */
export async function openKubernetesRunner(options: Options): Promise<Runner & { readonly where: string }> {
  const connection = connectKubernetes(options.cluster);
  const client = createClient(connection, options.onCall);
  const { server, context, namespace } = connection;
  const missing = await missingRights(client).catch((error: unknown) => {
    options.onTrouble('cannot check permissions: Kubernetes is unreachable', error);
    return [];
  });
  if (missing.length > 0)
    throw new Error(
      `the account of context ${context} lacks permissions in namespace ${namespace}: ${missing.join(', ')}; apply deploy/kubernetes/role.yaml there`,
    );
  const runner = createKubernetesRunner({ ...options, client });
  return { ...runner, where: `Kubernetes Jobs at ${server} (context ${context}, namespace ${namespace})` };
}
