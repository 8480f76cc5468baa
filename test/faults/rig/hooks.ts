/** GitLab's hooks as GitLab sends them, and whether what each of them wanted was done after it. */
import { setTimeout as wait } from 'node:timers/promises';
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

/** Waits until nothing is wanted any more, or a minute is over: checkHooks then names what is. */
export async function untilServed(rig: Rig): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await wait(250))
    if ((await rig.db.selectFrom('wanted').select('target').execute()).length === 0) return;
}

/** The jobs that were made of hooks. */
export async function hookJobs(rig: Rig) {
  return await rig.db
    .selectFrom('jobs')
    .select(['id', 'options', 'claimed_at'])
    .where('trigger', '=', 'hook')
    .execute();
}

/** For each hook that was accepted there is a job that has its project and began after it. */
export async function checkHooks(rig: Rig, hooks: readonly Hook[]): Promise<string[]> {
  const open = await rig.db.selectFrom('wanted').selectAll().execute();
  const jobs = await hookJobs(rig);
  return [
    ...open.map(
      ({ target, first_at: at }) => `what was wanted of ${target} at ${at.toISOString()} was never begun`,
    ),
    ...hooks.flatMap(({ project, sent }) => {
      const served = jobs.some(
        ({ options, claimed_at: at }) =>
          (!options.includes('--item') || `${options} `.includes(`--item ${project} `)) &&
          at !== null &&
          at >= sent,
      );
      return served ? [] : [`the hook of project ${project} at ${sent.toISOString()} was forgotten`];
    }),
  ];
}
