/** Permissions that the worker's account needs in its namespace; deploy/kubernetes/role.yaml grants exactly these. */
import type { KubernetesClient } from './client.ts';

type Right = {
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly verbs: readonly string[];
};

export const RIGHTS: readonly Right[] = [
  { group: 'batch', resource: 'jobs', verbs: ['create', 'get', 'list', 'watch', 'delete'] },
  { group: '', resource: 'pods', verbs: ['get', 'list', 'watch'] },
  { group: '', resource: 'pods', subresource: 'log', verbs: ['get'] },
  { group: '', resource: 'events', verbs: ['list'] },
];

/**
 * Returns the missing permissions, each as `<verb> <resource>`.
 * @throws KubernetesError when the cluster does not answer
 */
export async function missingRights(client: KubernetesClient): Promise<string[]> {
  const asked = RIGHTS.flatMap(({ group, resource, subresource, verbs }) =>
    verbs.map(async (verb) => {
      const of = { group, name: resource, ...(subresource === undefined ? {} : { subresource }) };
      return (await client.mayI(verb, of))
        ? []
        : [`${verb} ${resource}${subresource ? `/${subresource}` : ''}`];
    }),
  );
  return (await Promise.all(asked)).flat();
}
