/** Reads the rights of the worker's account, verb by verb: from the apiserver itself, and from kubectl's list. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import type { ProvidedCluster } from './cluster-setup.ts';
import type { KubernetesGround } from './kubernetes.ts';

export const READ = ['get', 'list', 'watch'];
const EVERY = [...READ, 'create', 'update', 'patch', 'delete', 'deletecollection'];

/** resource → the allowed verbs; every other verb is refused. */
export const ALLOWED: Record<string, readonly string[]> = {
  'jobs.batch': ['create', 'get', 'list', 'watch', 'delete'],
  pods: READ,
  'pods/log': ['get'],
  events: ['list'],
};
/** Resources of which every verb is refused. */
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

/** Rights in the form of `mayDo`. */
export const listed = (rights: Record<string, readonly string[]>) =>
  Object.entries(rights)
    .flatMap(([of, verbs]) => verbs.map((verb) => `${verb} ${of}`))
    .toSorted();

/** A service account of one namespace. */
export type Account = {
  /** Every allowed `verb resource` in a namespace, its own by default, among all that we know of. */
  mayDo(namespace?: string): Promise<string[]>;
  /**
   * The list of kubectl itself, resource → verbs, without the questions about themselves that Kubernetes allows
   * everybody.
   */
  listedByKubectl(): Promise<Record<string, readonly string[]>>;
};

export function workerAccount(
  cluster: Pick<ProvidedCluster, 'server' | 'token' | 'caFile'>,
  ground: Pick<KubernetesGround, 'namespace' | 'kubectl'>,
  name = 'syncrator-worker',
): Account {
  const user = `system:serviceaccount:${ground.namespace}:${name}`;

  /**
   * Answers `kubectl auth can-i <verb> <of> --as <account>`; a kubectl process for each of a thousand would take
   * minutes.
   */
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
