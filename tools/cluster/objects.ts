/** The objects that the cluster holds from the start: a namespace and a node. */
import { type Endpoint, ensure, request } from './api.ts';

export const NAMESPACE = 'syncrator';
export const NODE = 'fake-node';

/** The namespace of the kubeconfig. Safe to repeat. */
export async function createNamespace(api: Endpoint): Promise<void> {
  await ensure(api, '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: NAMESPACE },
  });
}

/** Safe to repeat. */
export async function createFakeNode(api: Endpoint, kubeletPort: number): Promise<void> {
  await ensure(api, '/api/v1/nodes', node());
  // kwok reports it too, but for a known node only every ten minutes.
  const { status, body } = await request(api, 'PATCH', `/api/v1/nodes/${NODE}/status`, {
    contentType: 'application/merge-patch+json',
    body: { status: { daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } } } },
  });
  if (status !== 200) throw new Error(`the node's status answered ${status}: ${body.slice(0, 300)}`);
}

/** True when the node is ready and the namespace has its service account. */
export async function acceptsPods(api: Endpoint, node: string, signal: AbortSignal): Promise<boolean> {
  const account = await request(api, 'GET', `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/default`, {
    signal,
  });
  if (account.status !== 200) return false;
  const answer = await request(api, 'GET', `/api/v1/nodes/${node}`, { signal });
  if (answer.status !== 200) return false; // the node has not registered yet
  const { spec, status } = JSON.parse(answer.body) as {
    spec?: { taints?: readonly unknown[] };
    status?: { conditions?: readonly { type: string; status: string }[] };
  };
  const ready = status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True');
  return ready === true && (spec?.taints ?? []).length === 0;
}

function node(): object {
  const room = { cpu: '20k', memory: '40Ti', pods: '20000', 'ephemeral-storage': '100Ti' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: NODE,
      annotations: { 'kwok.x-k8s.io/node': 'fake', 'node.alpha.kubernetes.io/ttl': '0' },
      labels: {
        'kubernetes.io/hostname': NODE,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        type: 'kwok',
      },
    },
    status: { allocatable: room, capacity: room },
  };
}
