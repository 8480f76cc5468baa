/** GitLab's hooks as GitLab sends them, and whether what each of them wanted was done after it. */
import { setTimeout as wait } from 'node:timers/promises';
import { isFinal } from '../../../src/domain/status.ts';
import type { ApiClient } from './api-client.ts';
import type { Rig } from './rig.ts';

const SECRET = 'a-secret-of-the-hooks-of-the-fault-programs';

/** What api and worker need to be told, for the item bank to be one of the rig's targets. */
export function itemBank(target: string): Record<string, string> {
  return { ITEM_BANK: `${target}/dev`, GITLAB_HOOK_SECRET: SECRET };
}

export type Hook = { readonly project: number; readonly sent: Date };

/** A push to a project's default branch; insists, as GitLab does. Protocol: https://docs.gitlab.com/user/project/integrations/webhook_events/#push-events */
export async function sendHook(api: ApiClient, project: number): Promise<Hook> {
  const sent = new Date();
  const { status, body } = await api.insist('POST', '/hooks/gitlab', {
    headers: { 'x-gitlab-token': SECRET, 'x-gitlab-event': 'Push Hook' },
    body: {
      object_kind: 'push',
      event_name: 'push',
      before: '95790bf891e76fee5e1747ab589903a6a1f80f22',
      after: 'da1560886d4f094c3e6c9ef40349f7d38b5d27d7',
      ref: 'refs/heads/main',
      checkout_sha: 'da1560886d4f094c3e6c9ef40349f7d38b5d27d7',
      project_id: project,
      project: {
        id: project,
        name: 'item',
        path_with_namespace: `bank/item-${project}`,
        default_branch: 'main',
      },
      commits: [],
      total_commits_count: 1,
    },
  });
  if (status !== 202) throw new Error(`a hook was answered ${status} ${JSON.stringify(body)}`);
  return { project, sent };
}

/** Waits until nothing is wanted any more, or a minute (more on a busy machine) is over: checkHooks then counts what is. */
export async function untilServed(rig: Rig): Promise<void> {
  for (const began = Date.now(); Date.now() - began < 60_000 * rig.busyness.factor(began); await wait(250))
    if ((await rig.db.selectFrom('wanted').select('target').execute()).length === 0) return;
}

/** The jobs that were made of hooks. */
export async function hookJobs(rig: Rig) {
  return await rig.db
    .selectFrom('jobs')
    .select(['id', 'options', 'status', 'created_at', 'claimed_at'])
    .where('trigger', '=', 'hook')
    .execute();
}

export type HooksChecked = {
  readonly violations: readonly string[];
  /** Wants that no job was made of yet, and may be made of. */
  readonly unsettled: number;
  /** Hooks whose job was cancelled before it began: that drops what they wanted, as docs/how-to/jobs.md says. */
  readonly cancelled: number;
};

export async function checkHooks(rig: Rig, hooks: readonly Hook[]): Promise<HooksChecked> {
  const open = await rig.db.selectFrom('wanted').select('target').execute();
  return judgeHooks(hooks, await hookJobs(rig), open.length);
}

/**
 * For each hook that was accepted there is a job that has its project and began after it, or was cancelled before it
 * began. Pure.
 * @param open how many wants no job was made of yet
 */
export function judgeHooks(
  hooks: readonly Hook[],
  jobs: Awaited<ReturnType<typeof hookJobs>>,
  open: number,
): HooksChecked {
  const violations: string[] = [];
  let cancelled = 0;
  for (const { project, sent } of hooks) {
    const its = jobs.filter(
      ({ options }) => !options.includes('--item') || `${options} `.includes(`--item ${project} `),
    );
    if (its.some(({ claimed_at: at }) => at !== null && at >= sent)) continue;
    if (its.some((job) => job.claimed_at === null && job.status === 'deleted' && job.created_at >= sent))
      cancelled += 1;
    // Else it is wanted still, or its job is one that the audit counts as unsettled.
    else if (open === 0 && !its.some(({ status }) => !isFinal(status)))
      violations.push(`the hook of project ${project} at ${sent.toISOString()} was forgotten`);
  }
  return { violations, unsettled: open, cancelled };
}
