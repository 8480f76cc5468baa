/** The client library's reading of a kubeconfig, with what it leaves out of one. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';

type RawUser = {
  readonly name?: string;
  readonly user?: { readonly token?: string; readonly tokenFile?: string };
};

/**
 * Knows a user's `tokenFile`, which the library does not (it looks for `token-file`, and asks as nobody): the file is
 * read anew every minute, as of a pod. A token beside it wins, and a relative path is relative to the kubeconfig, as
 * with kubectl (kubernetes.io/docs/reference/config-api/kubeconfig.v1). Of several files, in the first one only.
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
