/** The routes of GitLab's REST API v4 that the item bank needs, each with its tries. */

import { z } from 'zod';
import type { Commit } from '../../sinks/items.ts';
import { type Answer, createCalls, nextQuery, parseAnswer } from './calls.ts';
import { GitlabFault } from './gitlab-fault.ts';
import type { GitlabSettings } from './gitlab-settings.ts';
import type { Window } from './windows.ts';

const projectSchema = z
  .object({
    id: z.int().positive(),
    path_with_namespace: z.string(),
    default_branch: z.string().nullish(),
    empty_repo: z.boolean().nullish(),
    archived: z.boolean().nullish(),
    last_activity_at: z.iso.datetime({ offset: true }).nullish(),
  })
  .transform((project) => ({
    id: String(project.id),
    path: project.path_with_namespace,
    /** Null where nothing was ever committed. */
    branch: project.empty_repo === true ? null : (project.default_branch ?? null),
    archived: project.archived === true,
    /** Null where GitLab does not say, which counts as now. */
    activeAt: project.last_activity_at ? new Date(project.last_activity_at) : null,
  }));
export type Project = z.output<typeof projectSchema>;

const commitsSchema = z.array(
  z
    .object({ id: z.string().regex(/^[0-9a-f]{40,64}$/), committed_date: z.iso.datetime({ offset: true }) })
    .transform(({ id, committed_date }) => ({ sha: id, at: committed_date })),
);

const hooksSchema = z.array(z.object({ url: z.string() }));

export type ProjectPage = {
  readonly projects: readonly Project[];
  /** How many there are in all; null where GitLab does not count them (over 10,000). */
  readonly total: number | null;
  /** Whether GitLab says that others follow. */
  readonly more: boolean;
  /** GitLab's own time. */
  readonly now: Date;
};

/** An item of more revisions is brought all the same; what its log lacks is the oldest. */
const MOST_COMMIT_PAGES = 100;

export type Gitlab = {
  /** A page of the group's projects, with those of its subgroups, without those that are only shared with it. */
  projectPage(query: string): Promise<ProjectPage>;
  /** Null where there is none of this id in the group. */
  project(id: string): Promise<Project | null>;
  /** Sees to it that the project tells us of its pushes; makes no second webhook. */
  ensureHook(id: string, hook: { url: string; secret: string }): Promise<void>;
  /** The commits that touched the item, down to `until` but without it; null where repository or branch is not there. */
  commits(
    project: Project,
    until: string | null,
  ): Promise<{ newestFirst: Commit[]; reached: boolean } | null>;
  /** The item's text at a commit; null where there was none. */
  itemText(id: string, sha: string): Promise<string | null>;
};

export type Order = { by: 'id'; sort: 'asc' } | { by: 'last_activity_at'; sort: 'desc' };

export function projectsQuery(order: Order, { page, size }: Window): string {
  return new URLSearchParams({
    include_subgroups: 'true',
    with_shared: 'false',
    order_by: order.by,
    sort: order.sort,
    per_page: String(size),
    page: String(page),
  }).toString();
}

export function createGitlab(settings: GitlabSettings, stop: AbortSignal): Gitlab {
  const { once, retried } = createCalls(settings, stop);
  const { group, itemFile } = settings;
  const file = encodeURIComponent(itemFile);

  return {
    async projectPage(query) {
      const what = `projects of group ${group}`;
      const path = `/groups/${encodeURIComponent(group)}/projects`;
      const { headers, text } = await retried(() => once({ what, path, query }));
      return {
        projects: parseAnswer(what, text, z.array(projectSchema)),
        total: totalOf(headers),
        more: nextQuery(headers) !== null,
        now: dateOf(what, headers),
      };
    },

    async project(id) {
      const what = 'project';
      const answer = await orNull(retried(() => once({ what, path: `/projects/${id}` })));
      const project = answer && parseAnswer(what, answer.text, projectSchema);
      return project?.path.toLowerCase().startsWith(`${group.toLowerCase()}/`) ? project : null;
    },

    async ensureHook(id, { url, secret }) {
      const what = 'webhook';
      const path = `/projects/${id}/hooks`;
      // Listing belongs to each try: an answer that was lost may have been that it was made.
      await retried(async () => {
        for (let query: string | null = 'per_page=100'; query !== null; ) {
          const { headers, text }: Answer = await once({ what, path, query });
          if (parseAnswer(what, text, hooksSchema).some((hook) => hook.url === url)) return;
          query = nextQuery(headers);
        }
        await once({ what, path, body: { url, push_events: true, token: secret } });
      });
    },

    async commits({ id, branch }, until) {
      const what = 'commits';
      const newestFirst: Commit[] = [];
      let query: string | null = new URLSearchParams({
        path: itemFile,
        ref_name: branch ?? '',
        per_page: until === null ? '100' : '20',
      }).toString();
      for (let page = 0; query !== null && page < MOST_COMMIT_PAGES; page += 1) {
        const call = { what, path: `/projects/${id}/repository/commits`, query };
        const answer: Answer | null = await orNull(retried(() => once(call)));
        if (answer === null) return null;
        const commits = parseAnswer(what, answer.text, commitsSchema);
        const known = commits.findIndex(({ sha }) => sha === until);
        newestFirst.push(...(known === -1 ? commits : commits.slice(0, known)));
        if (known !== -1) return { newestFirst, reached: true };
        query = nextQuery(answer.headers);
      }
      return { newestFirst, reached: false };
    },

    async itemText(id, sha) {
      const path = `/projects/${id}/repository/files/${file}/raw`;
      const answer = await orNull(retried(() => once({ what: itemFile, path, query: `ref=${sha}` })));
      return answer?.text ?? null;
    },
  };
}

async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof GitlabFault && error.kind === 'missing') return null;
    throw error;
  }
}

function totalOf(headers: Headers): number | null {
  const total = headers.get('x-total') ?? '';
  return /^\d{1,9}$/.test(total) ? Number(total) : null;
}

function dateOf(what: string, headers: Headers): Date {
  const date = new Date(headers.get('date') ?? '');
  if (Number.isNaN(date.getTime())) throw new GitlabFault('content', `${what}: no Date header`);
  return date;
}
