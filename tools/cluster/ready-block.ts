/** The text that `npm run cluster` prints once everything is up. */
import path from 'node:path';
import { annotationTable } from './annotations.ts';
import type { Cluster } from './cluster.ts';
import type { Access } from './plane.ts';
import type { RealCluster } from './real-cluster.ts';

export function readyBlock(cluster: Cluster, seconds: number, finishAfter: string): string {
  const pods =
    finishAfter === 'never'
      ? 'run until an annotation ends them'
      : `succeed by themselves after ${finishAfter}`;
  const lines = [
    ...whereItIs(cluster, seconds),
    '    RUNNER=kubernetes npm start',
    '',
    `  Pods are fake: they ${pods}, unless an annotation changes that:`,
    ...annotationTable().map((row) => `    ${row}`),
    '  More in tools/cluster/README.md.',
    '',
    '  Ctrl-C stops everything.',
  ];
  return lines.join('\n');
}

/** @param reached ports of this machine that pods may reach */
export function realReadyBlock(cluster: RealCluster, seconds: number, reached: readonly number[]): string {
  const [port = 8080] = reached;
  const through = reached.length === 0 ? 'none (see --reach)' : reached.join(', ');
  const lines = [
    ...whereItIs(cluster, seconds),
    `    RUNNER=kubernetes SYNCRATOR_REPORT_BASE_URL=http://${cluster.hostAddress}:${port} npm start`,
    '',
    `  Pods are containers. They reach this machine at ${cluster.hostAddress}, and no other machine.`,
    `  Ports of 127.0.0.1 that they may reach: ${through}.`,
    '  More in tools/cluster/README.md.',
    '',
    '  Ctrl-C ends the pods and stops everything.',
  ];
  return lines.join('\n');
}

function whereItIs(cluster: Access, seconds: number): string[] {
  return [
    `ready ${cluster.server} after ${seconds.toFixed(1)} s`,
    '',
    `  namespace:        ${cluster.namespace}`,
    `  kubectl:          ${path.join(cluster.binDir, 'kubectl')}`,
    `  data and logs:    ${cluster.dir}`,
    ...(cluster.auditLog === undefined ? [] : [`  audit log:        ${cluster.auditLog}`]),
    '',
    '  Type next, in another terminal:',
    `    export KUBECONFIG=${cluster.kubeconfig}`,
  ];
}
