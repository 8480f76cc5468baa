/**
 * Ensures that a project has exactly one working push webhook of ours: creates a missing one, repairs a broken one.
 *
 * GitLab disables a webhook whose deliveries fail. Only a test delivery that is answered with 2xx enables it again
 * (https://docs.gitlab.com/user/project/integrations/webhooks/#auto-disabled-webhooks).
 */
import { z } from 'zod';
import { nextQuery, parseAnswer } from './answers.ts';
import type { Answer, Calls } from './calls.ts';
import { GitlabFault } from './gitlab-fault.ts';
import type { GitlabSettings } from './gitlab-settings.ts';

const hookSchema = z.object({
  id: z.int().positive(),
  url: z.string(),
  push_events: z.boolean().nullish(),
  enable_ssl_verification: z.boolean().nullish(),
  /** Missing before GitLab 15.1. */
  alert_status: z.string().nullish(),
  disabled_until: z.string().nullish(),
});
type Hook = z.output<typeof hookSchema>;

export type WantedHook = NonNullable<GitlabSettings['webhook']>;

const what = 'webhook';

/**
 * Each attempt lists the webhooks again, since a lost answer may mean that the webhook was created.
 *
 * @returns the repaired faults; null if there were none
 * @throws GitlabFault if the webhook cannot be created or repaired
 */
export async function ensureProjectHook(
  { once, retried }: Calls,
  project: string,
  wanted: WantedHook,
): Promise<string | null> {
  const path = `/projects/${project}/hooks`;
  // GitLab never returns the secret, so every repair sends it.
  const body = {
    url: wanted.url,
    token: wanted.secret,
    push_events: true,
    enable_ssl_verification: wanted.verifiesTls,
  };
  let repaired: string | null = null;
  await retried(async () => {
    const ours = await hooksOf(once, path, wanted.url);
    if (ours.some((hook) => faultsOf(hook, wanted).length === 0)) return;
    const [hook] = ours;
    if (hook === undefined) {
      await once({ what, path, method: 'POST', body });
      return;
    }
    const wrong = faultsOf(hook, wanted).join(', ');
    // Set before the call: if its answer is lost, the next attempt finds no fault.
    repaired = wrong;
    const one = `${path}/${hook.id}`;
    await once({ what: `${what} (${wrong})`, path: one, method: 'PUT', body });
    if (isDisabled(hook)) await enable(once, one, wrong);
    const { text } = await once({ what, path: one });
    const left = faultsOf(parseAnswer(what, text, hookSchema), wanted).join(', ');
    if (left !== '') throw new GitlabFault('content', `${what}: it is still ${left} after the repair`);
  });
  return repaired;
}

async function hooksOf(once: Calls['once'], path: string, url: string): Promise<Hook[]> {
  const ours: Hook[] = [];
  for (let query: string | null = 'per_page=100'; query !== null; ) {
    const answer: Answer = await once({ what, path, query });
    ours.push(...parseAnswer(what, answer.text, z.array(hookSchema)).filter((hook) => hook.url === url));
    query = nextQuery(answer);
  }
  return ours;
}

/** The faults of a webhook; properties that GitLab does not report count as correct. */
function faultsOf(hook: Hook, { url, verifiesTls }: WantedHook): string[] {
  const { alert_status: status, disabled_until: until } = hook;
  const checksTls = url.startsWith('https:') && (hook.enable_ssl_verification ?? verifiesTls) !== verifiesTls;
  return [
    ...(isDisabled(hook) ? [`${status}${until ? ` until ${until}` : ''}`] : []),
    ...(hook.push_events === false ? ['push_events: false'] : []),
    ...(checksTls ? [`enable_ssl_verification: ${hook.enable_ssl_verification}`] : []),
  ];
}

function isDisabled({ alert_status: status }: Hook): boolean {
  return status === 'disabled' || status === 'temporarily_disabled';
}

async function enable(once: Calls['once'], path: string, wrong: string): Promise<void> {
  try {
    await once({ what, path: `${path}/test/push_events`, method: 'POST' });
  } catch (error) {
    if (!(error instanceof GitlabFault)) throw error;
    const advice =
      error.kind === 'missing'
        ? 'GitLab before 16.11 has no call that enables it; press Test in its settings'
        : error.kind === 'status' && !error.mayPass
          ? 'its test delivery failed; make GITLAB_WEBHOOK_URL reachable for GitLab'
          : null;
    if (advice === null) throw error;
    throw new GitlabFault('content', `${what}: ${wrong}; ${advice}`, { cause: error });
  }
}
