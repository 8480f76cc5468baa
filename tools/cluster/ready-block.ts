/** Words what `npm run cluster` prints once everything is up. */
import path from 'node:path';
import { annotationTable } from './annotations.ts';
import type { Cluster } from './cluster.ts';

export function readyBlock(cluster: Cluster, seconds: number, finishAfter: string): string {
  const pods =
    finishAfter === 'never' ? 'run until something ends them' : `succeed by themselves after ${finishAfter}`;
  const lines = [
    `ready ${cluster.server} after ${seconds.toFixed(1)} s`,
    '',
    `  namespace:        ${cluster.namespace}`,
    `  kubectl:          ${path.join(cluster.binDir, 'kubectl')}`,
    `  data and logs:    ${cluster.dir}`,
    ...(cluster.auditLog === undefined ? [] : [`  audit log:        ${cluster.auditLog}`]),
    '',
    '  Type next, in another terminal:',
    `    export KUBECONFIG=${cluster.kubeconfig}`,
    '    RUNNER=kubernetes npm start',
    '',
    `  Pods are fake: they ${pods}, unless an annotation says otherwise:`,
    ...annotationTable().map((row) => `    ${row}`),
    '  More in tools/cluster/README.md.',
    '',
    '  Ctrl-C stops everything.',
  ];
  return lines.join('\n');
}
