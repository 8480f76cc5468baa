/** What source `gitlab` needs to know: where GitLab is, which group is the item bank, how we are told of pushes. */

import type { Settings } from '../../settings-file.ts';

export type GitlabSettings = {
  readonly kind: 'gitlab';
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: string;
  /** Full path. */
  readonly group: string;
  /** Path of the item within its repository. */
  readonly itemFile: string;
  /** Null: webhooks are left alone. */
  readonly webhook: { readonly url: string; readonly secret: string } | null;
  /** Project ids that are not brought; `delete` spares them. */
  readonly ignore: ReadonlySet<string>;
  /** Milliseconds that one call may take. */
  readonly timeoutMs: number;
};

const HTTP = ['http:', 'https:'];
const TIMEOUT_SECONDS = '30';

/** @throws JobError `notConfigured` */
export function readGitlabSettings({ required, optional, url, fault }: Settings): GitlabSettings {
  const address = new URL(url('GITLAB_URL', HTTP));
  if (address.username || address.password || address.search || address.hash) {
    throw fault('GITLAB_URL is more than an address: GITLAB_TOKEN is what we are let in by');
  }
  const token = required('GITLAB_TOKEN');
  // fetch would say the token in its error.
  if (!/^[\x21-\x7e]+$/.test(token)) throw fault('GITLAB_TOKEN has characters that no header may have');
  const group = required('GITLAB_GROUP').replaceAll(/^\/+|\/+$/g, '');
  if (!/^[\w.-]+(\/[\w.-]+)*$/.test(group) || /^\d+$/.test(group)) {
    throw fault('GITLAB_GROUP is not the full path of a group, such as item-bank or assessments/items');
  }
  const ignore = (optional('GITLAB_IGNORE') ?? '').split(',').map((id) => id.trim());
  const wrong = ignore.find((id) => !/^\d{0,16}$/.test(id));
  if (wrong !== undefined) throw fault('GITLAB_IGNORE is not a list of project ids, such as 17,203');
  const timeout = optional('GITLAB_TIMEOUT') ?? TIMEOUT_SECONDS;
  if (!/^[1-9]\d{0,2}$/.test(timeout)) throw fault('GITLAB_TIMEOUT is not a number of seconds from 1 to 999');
  return {
    kind: 'gitlab',
    url: `${address.origin}${address.pathname.replace(/\/+$/, '')}`,
    token,
    group,
    itemFile: optional('GITLAB_ITEM_FILE') ?? 'item.json',
    webhook: readWebhook({ optional, url, fault }),
    ignore: new Set(ignore.filter((id) => id !== '')),
    timeoutMs: Number(timeout) * 1000,
  };
}

function readWebhook({ optional, url, fault }: Pick<Settings, 'optional' | 'url' | 'fault'>) {
  const [address, secret] = [optional('GITLAB_WEBHOOK_URL'), optional('GITLAB_HOOK_SECRET')];
  if (address === undefined && secret === undefined) return null;
  if (address === undefined) throw fault('GITLAB_HOOK_SECRET is there without GITLAB_WEBHOOK_URL');
  if (secret === undefined) throw fault('GITLAB_WEBHOOK_URL is there without GITLAB_HOOK_SECRET');
  return { url: url('GITLAB_WEBHOOK_URL', HTTP), secret };
}
