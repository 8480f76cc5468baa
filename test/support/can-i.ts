/** What the worker's account may do, verb by verb: asked of the apiserver itself, and as kubectl lists it. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import type { ProvidedCluster } from './cluster-setup.ts';
import type { KubernetesGround } from './kubernetes.ts';

export const READ = ['get', 'list', 'watch'];
const EVERY = [...READ, 'create', 'update', 'patch', 'delete', 'deletecollection'];

/** resource → the verbs that are allowed; every other verb of it is refused. */
export const ALLOWED: Record<string, readonly string[]> = {
  'jobs.batch': ['create', 'get', 'list', 'watch', 'delete'],
  pods: READ,
  'pods/log': ['get'],
  events: ['list'],
};
/** Nothing at all may be done with these. */
const REFUSED = [
  'jobs.batch/status',
  'jobs.batch/finalizers',
  'cronjobs.batch',
  'pods/exec',
  'pods/attach',
  'pods/portforward',
  'pods/ephemeralcontainers',
  'pods/eviction',
  'pods/status',
  'pods/binding',
  'secrets',
  'configmaps',
  'serviceaccounts',
  'serviceaccounts/token',
  'services',
  'endpoints',
  'persistentvolumeclaims',
  'resourcequotas',
  'limitranges',
  'replicationcontrollers',
  'deployments.apps',
  'daemonsets.apps',
  'statefulsets.apps',
  'replicasets.apps',
  'controllerrevisions.apps',
  'horizontalpodautoscalers.autoscaling',
  'networkpolicies.networking.k8s.io',
  'ingresses.networking.k8s.io',
  'leases.coordination.k8s.io',
  'poddisruptionbudgets.policy',
  'roles.rbac.authorization.k8s.io',
  'rolebindings.rbac.authorization.k8s.io',
  'nodes',
  'nodes/proxy',
  'namespaces',
  'persistentvolumes',
  'clusterroles.rbac.authorization.k8s.io',
  'clusterrolebindings.rbac.authorization.k8s.io',
  'customresourcedefinitions.apiextensions.k8s.io',
  'validatingwebhookconfigurations.admissionregistration.k8s.io',
  'certificatesigningrequests.certificates.k8s.io',
];

/** Rights as `mayDo` tells them. */
export const listed = (rights: Record<string, readonly string[]>) =>
  Object.entries(rights)
    .flatMap(([of, verbs]) => verbs.map((verb) => `${verb} ${of}`))
    .toSorted();

/** A service account of one namespace. */
export type Account = {
  /** `verb resource` of all that it may do in that namespace, its own by default, of all that we know of. */
  mayDo(namespace?: string): Promise<string[]>;
  /** What kubectl itself lists, resource → verbs, without what Kubernetes lets everybody ask about themselves. */
  listedByKubectl(): Promise<Record<string, readonly string[]>>;
};

export function workerAccount(
  cluster: Pick<ProvidedCluster, 'server' | 'token' | 'caFile'>,
  ground: Pick<KubernetesGround, 'namespace' | 'kubectl'>,
  name = 'syncrator-worker',
): Account {
  const user = `system:serviceaccount:${ground.namespace}:${name}`;

  /** What `kubectl auth can-i <verb> <of> --as <account>` asks; a process for each of a thousand would take minutes. */
  async function canI(agent: Agent, namespace: string, verb: string, of: string): Promise<boolean> {
    const [full = '', subresource = ''] = of.split('/');
    const [resource = '', ...group] = full.split('.');
    const answer = await request(`${cluster.server}/apis/authorization.k8s.io/v1/subjectaccessreviews`, {
      method: 'POST',
      dispatcher: agent,
      headers: { authorization: `Bearer ${cluster.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          resourceAttributes: { namespace, verb, group: group.join('.'), resource, subresource },
          user,
          groups: [
            'system:authenticated',
            'system:serviceaccounts',
            `system:serviceaccounts:${ground.namespace}`,
          ],
        },
      }),
    });
    const review = (await answer.body.json()) as { status: { allowed: boolean } };
    return review.status.allowed;
  }

  return {
    async mayDo(namespace = ground.namespace) {
      const agent = new Agent({ connect: { ca: readFileSync(cluster.caFile) }, connections: 8 });
      const asked = [...Object.keys(ALLOWED), ...REFUSED].flatMap((of) =>
        EVERY.map((verb) => ({ verb, of })),
      );
      try {
        const answers = await Promise.all(
          asked.map(async ({ verb, of }) =>
            (await canI(agent, namespace, verb, of)) ? [`${verb} ${of}`] : [],
          ),
        );
        return answers.flat().toSorted();
      } finally {
        await agent.close();
      }
    },
    async listedByKubectl() {
      const text = await ground.kubectl('auth', 'can-i', '--list', '--as', user);
      const rows = [...text.matchAll(/^(\S+)\s+\[\]\s+\[\]\s+\[(.*)\]$/gm)];
      return Object.fromEntries(
        rows
          .filter(([, of = '']) => !of.startsWith('selfsubject'))
          .map(([, of = '', verbs = '']) => [of, verbs.split(' ')]),
      );
    },
  };
}
