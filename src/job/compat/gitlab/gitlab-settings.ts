/** Reads the settings of SOURCE=gitlab: address, token, group, webhook. */
import type { Settings } from '../../settings-file.ts';

export type GitlabSettings = {
  readonly kind: 'gitlab';
  /** Without a trailing slash. */
  readonly url: string;
  readonly token: string;
  /** Full path. */
  readonly group: string;
  /** Path of the item's file within its repository. */
  readonly itemFile: string;
  /** Null: webhooks are not managed. */
  readonly webhook: {
    readonly url: string;
    readonly secret: string;
    /** True if GitLab must verify the certificate of `url` before it sends the secret. */
    readonly verifiesTls: boolean;
  } | null;
  /** Project ids that are not imported; `delete` keeps their items. */
  readonly ignore: ReadonlySet<string>;
  /** Deadline of one call, in milliseconds. */
  readonly timeoutMs: number;
};

const HTTP = ['http:', 'https:'];
const TIMEOUT_SECONDS = '30';

/** @throws JobError `notConfigured` */
export function readGitlabSettings({ required, optional, url, fault }: Settings): GitlabSettings {
  const address = new URL(url('GITLAB_URL', HTTP));
  if (address.username || address.password || address.search || address.hash)
    throw fault('GITLAB_URL contains more than an address: put credentials into GITLAB_TOKEN');
  const token = required('GITLAB_TOKEN');
  // The HTTP client's error would quote the token.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw fault('GITLAB_TOKEN has characters that are not allowed in an HTTP header');
  const group = required('GITLAB_GROUP').replaceAll(/^\/+|\/+$/g, '');
  if (!/^[\w.-]+(\/[\w.-]+)*$/.test(group) || /^\d+$/.test(group))
    throw fault('GITLAB_GROUP is not the full path of a group, such as item-bank or assessments/items');
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
  if (address === undefined) throw fault('GITLAB_HOOK_SECRET is set without GITLAB_WEBHOOK_URL');
  if (secret === undefined) throw fault('GITLAB_WEBHOOK_URL is set without GITLAB_HOOK_SECRET');
  const verifies = optional('GITLAB_HOOK_SSL_VERIFICATION') ?? 'true';
  if (verifies !== 'true' && verifies !== 'false')
    throw fault('GITLAB_HOOK_SSL_VERIFICATION is neither true nor false');
  return { url: url('GITLAB_WEBHOOK_URL', HTTP), secret, verifiesTls: verifies === 'true' };
}
