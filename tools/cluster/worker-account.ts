/** A namespace with the worker's account: the Role that we publish, a token, and its own kubeconfig. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const ROLES = path.resolve(import.meta.dirname, '../../deploy/kubernetes');

/** The administrator's kubeconfig. */
export type AdminAccess = {
  readonly kubeconfig: string;
  readonly server: string;
  readonly caFile: string;
  readonly kubectl: string;
};

/**
 * Runs kubectl in that namespace.
 * @throws Error with kubectl's message if it fails
 */
export function kubectlIn(
  admin: Pick<AdminAccess, 'kubeconfig' | 'kubectl'>,
  namespace: string,
): (...args: string[]) => Promise<string> {
  return async (...args) => {
    const all = ['--kubeconfig', admin.kubeconfig, '-n', namespace, ...args];
    return (await promisify(execFile)(admin.kubectl, all, { timeout: 60_000 })).stdout;
  };
}

/**
 * Creates everything and writes the kubeconfig, mode 0600.
 * @param of.forceDelete adds the optional Role
 */
export async function createWorkerAccount(
  admin: AdminAccess,
  of: { namespace: string; forceDelete: boolean; kubeconfig: string },
): Promise<void> {
  const kubectl = kubectlIn(admin, of.namespace);
  await kubectl('create', 'namespace', of.namespace);
  await kubectl('apply', '-f', path.join(ROLES, 'role.yaml'));
  if (of.forceDelete) await kubectl('apply', '-f', path.join(ROLES, 'force-delete-role.yaml'));
  const token = (await kubectl('create', 'token', 'syncrator-worker', '--duration=8h')).trim();
  const ca = readFileSync(admin.caFile).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'worker',
    clusters: [{ name: 'local', cluster: { server: admin.server, 'certificate-authority-data': ca } }],
    users: [{ name: 'worker', user: { token } }],
    contexts: [{ name: 'worker', context: { cluster: 'local', user: 'worker', namespace: of.namespace } }],
  };
  await writeFile(of.kubeconfig, JSON.stringify(config), { mode: 0o600 });
}
