/** Sends GitLab's hooks as GitLab does, and checks that a later job did the work that each of them requested. */
import { setTimeout as wait } from 'node:timers/promises';
import { isFinal } from '../../../src/domain/status.ts';
import type { ApiClient } from './api-client.ts';
import type { Rig } from './rig.ts';

const SECRET = 'a-secret-of-the-hooks-of-the-fault-programs';

/** Settings of api and worker that make the item bank one of the rig's targets. */
export function itemBank(target: string): Record<string, string> {
  return { ITEM_BANK: `${target}/dev`, GITLAB_HOOK_SECRET: SECRET };
}

export type Hook = { readonly project: number; readonly sent: Date };

/**
 * A push to a project's default branch; retries, as GitLab does. Protocol:
 * https://docs.gitlab.com/user/project/integrations/webhook_events/#push-events
 */
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

/** Waits until nothing is wanted any more, at most a minute (more on a busy machine): checkHooks then counts the rest. */
export async function untilServed(rig: Rig): Promise<void> {
  for (const began = Date.now(); Date.now() - began < 60_000 * rig.busyness.factor(began); await wait(250))
    if ((await rig.db.selectFrom('wanted').select('target').execute()).length === 0) return;
}

/** The jobs that hooks led to. */
export async function hookJobs(rig: Rig) {
  return await rig.db
    .selectFrom('jobs')
    .select(['id', 'options', 'status', 'created_at', 'claimed_at'])
    .where('trigger', '=', 'hook')
    .execute();
}

export type HooksChecked = {
  readonly violations: readonly string[];
  /** Wants without a job, which may still get one. */
  readonly unsettled: number;
  /** Hooks whose job was cancelled before it began: that drops their wants, as docs/how-to/jobs.md says. */
  readonly cancelled: number;
};

export async function checkHooks(rig: Rig, hooks: readonly Hook[]): Promise<HooksChecked> {
  const open = await rig.db.selectFrom('wanted').select('target').execute();
  return judgeHooks(hooks, await hookJobs(rig), open.length);
}

/**
 * For each accepted hook there must be a job with its project that began after it, or was cancelled before it
 * began. Pure.
 * @param open number of wants without a job
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
    // Otherwise it is still wanted, or the audit counts its job as unsettled.
    else if (open === 0 && !its.some(({ status }) => !isFinal(status)))
      violations.push(`the hook of project ${project} at ${sent.toISOString()} was forgotten`);
  }
  return { violations, unsettled: open, cancelled };
}
