/** Client for the routes of GitLab's REST API v4 that the item bank needs, with retries. */
import { z } from 'zod';
import type { Commit } from '../../sinks/items.ts';
import type { SourceClock } from '../../sources/source.ts';
import { nextQuery, parseAnswer, totalOf } from './answers.ts';
import { type Answer, type CallOptions, createCalls } from './calls.ts';
import { GitlabFault } from './gitlab-fault.ts';
import type { GitlabSettings } from './gitlab-settings.ts';
import { isLfsPointer } from './lfs.ts';
import { type Project, projectSchema } from './project.ts';
import { ensureProjectHook, type WantedHook } from './project-hook.ts';
import type { Window } from './windows.ts';

const commitsSchema = z.array(
  z
    .object({ id: z.string().regex(/^[0-9a-f]{40,64}$/), committed_date: z.iso.datetime({ offset: true }) })
    .transform(({ id, committed_date }) => ({ sha: id, at: committed_date })),
);

export type ProjectPage = {
  readonly projects: readonly Project[];
  /** GitLab's total; null if it does not count (over 10,000). */
  readonly total: number | null;
  /** True if GitLab links a next page. */
  readonly more: boolean;
};

/** Limit of commit pages per item; the log of an item with more commits lacks the oldest ones. */
const MOST_COMMIT_PAGES = 100;

export type Gitlab = {
  /** A page of the projects of the group and its subgroups, without projects shared with it. */
  projectPage(query: string): Promise<ProjectPage>;
  /** Null if the group has no project with this id. */
  project(id: string): Promise<Project | null>;
  /** Creates or repairs the project's push webhook. @returns the repaired faults; null if there were none */
  ensureHook(id: string, hook: WantedHook): Promise<string | null>;
  /**
   * The commits that changed the item, newest first, down to but without `until`; null if repository or branch is
   * missing.
   */
  commits(
    project: Project,
    until: string | null,
  ): Promise<{ newestFirst: Commit[]; reached: boolean } | null>;
  /** The item's text at a commit; null if the file is missing there. */
  itemText(id: string, sha: string): Promise<string | null>;
  clock(): SourceClock;
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

export function createGitlab(settings: GitlabSettings, options: CallOptions): Gitlab {
  const calls = createCalls(settings, options);
  const { once, retried, clock } = calls;
  const { group, itemFile } = settings;
  const file = encodeURIComponent(itemFile);

  return {
    async projectPage(query) {
      const what = `projects of group ${group}`;
      const path = `/groups/${encodeURIComponent(group)}/projects`;
      const answer = await retried(() => once({ what, path, query }));
      return {
        projects: parseAnswer(what, answer.text, z.array(projectSchema)),
        total: totalOf(answer),
        more: nextQuery(answer) !== null,
      };
    },

    async project(id) {
      const what = 'project';
      const answer = await orNull(retried(() => once({ what, path: `/projects/${id}` })));
      const project = answer && parseAnswer(what, answer.text, projectSchema);
      return project?.path.toLowerCase().startsWith(`${group.toLowerCase()}/`) ? project : null;
    },

    ensureHook: (id, hook) => ensureProjectHook(calls, id, hook),

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
        query = nextQuery(answer);
      }
      return { newestFirst, reached: false };
    },

    async itemText(id, sha) {
      const path = `/projects/${id}/repository/files/${file}/raw`;
      const query = `ref=${sha}`;
      const answer = await orNull(retried(() => once({ what: itemFile, path, query })));
      if (answer === null || !isLfsPointer(answer.text)) return answer?.text ?? null;
      // A second request: with `lfs` a missing object is indistinguishable from a missing file.
      const call = { what: `${itemFile}, a pointer of Git LFS`, path, query: `${query}&lfs=true` };
      const object = await retried(() => once({ ...call, mayLieElsewhere: true }));
      if (!isLfsPointer(object.text)) return object.text;
      throw new GitlabFault(
        'content',
        `${call.what}: GitLab returns only the pointer; upgrade GitLab or store the item without Git LFS`,
      );
    },

    clock,
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
