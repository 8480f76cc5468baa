/** Credentials of the cluster: a token per part, the service account keys, and kubeconfigs. Made once per folder. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Users of the cluster; each shows under its own name in the audit log. */
export type UserName = 'admin' | 'controller-manager' | 'scheduler' | 'kwok' | 'kubelet';

export type Credentials = {
  readonly tokens: Readonly<Record<UserName, string>>;
  readonly tokenFile: string;
  readonly serviceAccountKey: string;
  readonly serviceAccountPublicKey: string;
};

const USERS: readonly UserName[] = ['admin', 'controller-manager', 'scheduler', 'kwok', 'kubelet'];

/** Reads the credentials of the folder, or makes them (files mode 0600). */
export function ensureCredentials(dir: string): Credentials {
  const folder = path.join(dir, 'credentials');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const tokenFile = path.join(folder, 'tokens.csv');
  const serviceAccountKey = path.join(folder, 'service-account.key');
  const serviceAccountPublicKey = path.join(folder, 'service-account.pub');
  if (!existsSync(tokenFile)) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    write(serviceAccountKey, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    write(serviceAccountPublicKey, publicKey.export({ type: 'spki', format: 'pem' }));
    const lines = USERS.map(
      (user) => `${randomBytes(24).toString('base64url')},${userName(user)},${user},system:masters`,
    );
    write(tokenFile, `${lines.join('\n')}\n`);
  }
  const tokens = readFileSync(tokenFile, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(',')[0] ?? '');
  const token = (user: UserName) => tokens[USERS.indexOf(user)] ?? '';
  return {
    tokens: {
      admin: token('admin'),
      'controller-manager': token('controller-manager'),
      scheduler: token('scheduler'),
      kwok: token('kwok'),
      kubelet: token('kubelet'),
    },
    tokenFile,
    serviceAccountKey,
    serviceAccountPublicKey,
  };
}

/** Writes a kubeconfig that carries the CA, mode 0600. */
export function writeKubeconfig(
  file: string,
  to: { server: string; caFile: string; user: string; token: string; namespace: string },
): void {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'syncrator',
        cluster: {
          server: to.server,
          'certificate-authority-data': readFileSync(to.caFile).toString('base64'),
        },
      },
    ],
    users: [{ name: to.user, user: { token: to.token } }],
    contexts: [
      {
        name: 'syncrator',
        context: { cluster: 'syncrator', user: to.user, namespace: to.namespace },
      },
    ],
    'current-context': 'syncrator',
  };
  write(file, `${JSON.stringify(config, undefined, 2)}\n`); // JSON is YAML
}

function userName(user: UserName): string {
  return user === 'controller-manager' || user === 'scheduler' ? `system:kube-${user}` : user;
}

function write(file: string, content: string | Buffer): void {
  writeFileSync(file, content, { mode: 0o600 });
}
