/** Opens the runner on the cluster that the settings name, and sees to it that its account may do what it will ask for. */
import type { Runner } from '../runner.ts';
import { missingRights } from './access.ts';
import { createClient, type OnCall } from './client.ts';
import { connectKubernetes, type ConnectionSettings } from './connection.ts';
import { createKubernetesRunner, type KubernetesRunnerOptions } from './kubernetes-runner.ts';

type Options = Omit<KubernetesRunnerOptions, 'client'> & {
  readonly cluster: ConnectionSettings;
  readonly onCall?: OnCall | undefined;
};

/**
 * A cluster that is away just now is told to `onTrouble`, since it comes back.
 * @throws Error when no cluster is configured, or the account lacks a right
 */
export async function openKubernetesRunner(options: Options): Promise<Runner & { readonly where: string }> {
  const connection = connectKubernetes(options.cluster);
  const client = createClient(connection, options.onCall);
  const { server, context, namespace } = connection;
  const missing = await missingRights(client).catch((error: unknown) => {
    options.onTrouble('Kubernetes is not to be had just now', error);
    return [];
  });
  if (missing.length > 0)
    throw new Error(
      `the account of context ${context} may not: ${missing.join(', ')} in namespace ${namespace}; apply deploy/kubernetes/role.yaml there`,
    );
  const runner = createKubernetesRunner({ ...options, client });
  return { ...runner, where: `Kubernetes Jobs at ${server} (context ${context}, namespace ${namespace})` };
}
