/** Reads a kubeconfig by the client library, and adds the `tokenFile` that the library ignores. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';

type RawUser = {
  readonly name?: string;
  readonly user?: { readonly token?: string; readonly tokenFile?: string };
};

/**
 * Supports a user's `tokenFile`. The library looks for `token-file` and would send no credentials. The file is reread
 * every minute, as in a pod. As with kubectl, `token` takes precedence and a relative path is relative to the kubeconfig
 * (kubernetes.io/docs/reference/config-api/kubeconfig.v1). With several kubeconfig files, only the first one counts.
 */
export class KubeConfigWithTokenFiles extends KubeConfig {
  override loadFromFile(...[file, options]: Parameters<KubeConfig['loadFromFile']>): void {
    super.loadFromFile(file, options);
    const { users } = parse(readFileSync(file, 'utf8')) as { users?: readonly RawUser[] };
    this.users = this.users.map((user) => {
      const { token, tokenFile } = users?.find(({ name }) => name === user.name)?.user ?? {};
      if (tokenFile === undefined || token !== undefined) return user;
      const config = { tokenFile: path.resolve(path.dirname(file), tokenFile) };
      return { ...user, authProvider: { name: 'tokenFile', config } };
    });
  }
}
