/**
 * The group's projects, page by page, such that none is left out because another one went.
 *
 * GitLab documents keyset pages for `/projects` but not for those of a group, so pages go by offset: when a project is
 * removed, those after it move up, and the first of the next page would be seen by nobody.
 */

import { IncompleteListingError, JobError } from '../../job-error.ts';
import { GitlabFault } from './gitlab-fault.ts';
import { firstPage, type Gitlab, type Project, type ProjectPage } from './gitlab.ts';

/** Where a reading goes on: the page's query, and the last id that was dealt with. */
export type Place = { readonly query: string; readonly after: string };

export type ProjectsRead = {
  /** In the order of their ids, all after the place that was asked for. */
  readonly projects: readonly Project[];
  readonly total: number | null;
  readonly now: Date;
  readonly place: Place;
  /** Null after the last page. */
  readonly next: Place | null;
};

/** How much later than a push GitLab may note it: `last_activity_at` is written at most once an hour, and then some. */
export const ACTIVITY_MARGIN_MS = 70 * 60_000;

export function firstPlace(): Place {
  return { query: firstPage({ by: 'id', sort: 'asc' }), after: '0' };
}

/** Every project once, by id. @throws JobError for what no further try mended */
export async function* projectPages(gitlab: Gitlab, from: Place): AsyncGenerator<ProjectsRead> {
  let place: Place | null = from;
  // How many there were when the place was noted nobody knows.
  let total: number | null = null;
  while (place !== null) {
    const here: Place = place;
    const { query, after } = here;
    const page: ProjectPage = await read(gitlab, query);
    const moved = total === null || page.total === null || page.total < total;
    const projects = moved ? await withMoved(gitlab, here, page) : page.projects;
    const unseen = projects.filter(({ id }) => Number(id) > Number(after));
    if (page.next !== null && page.projects.length === 0) {
      throw new JobError('failed', 'GitLab: a page of projects promises more and has none');
    }
    place = page.next === null ? null : { query: page.next, after: unseen.at(-1)?.id ?? after };
    total = page.total;
    yield { projects: unseen, total, now: page.now, place: here, next: place };
  }
}

/** With what the pages before have now, back to the place that is known. */
async function withMoved(gitlab: Gitlab, { query, after }: Place, page: ProjectPage): Promise<Project[]> {
  const found = new Map(page.projects.map((project) => [project.id, project]));
  const back = new URLSearchParams(query);
  while (Number(back.get('page')) > 1) {
    if ([...found.keys()].some((id) => Number(id) <= Number(after))) break;
    back.set('page', String(Number(back.get('page')) - 1));
    for (const project of (await read(gitlab, back.toString())).projects) found.set(project.id, project);
  }
  return [...found.values()].toSorted((a, b) => Number(a.id) - Number(b.id));
}

/**
 * Projects in which something may have happened since, by id. Read newest activity first: who becomes active meanwhile
 * moves to the front and pushes others back, so that some are seen twice and none is missed.
 */
export async function activeSince(gitlab: Gitlab, since: Date): Promise<{ projects: Project[]; now: Date }> {
  const found = new Map<string, Project>();
  const oldest = since.getTime() - ACTIVITY_MARGIN_MS;
  let page = await read(gitlab, firstPage({ by: 'last_activity_at', sort: 'desc' }));
  const { now } = page;
  for (;;) {
    const recent = page.projects.filter(({ activeAt }) => (activeAt?.getTime() ?? Infinity) >= oldest);
    for (const project of recent) found.set(project.id, project);
    if (page.next === null || recent.length < page.projects.length) break;
    page = await read(gitlab, page.next);
  }
  return { projects: [...found.values()].toSorted((a, b) => Number(a.id) - Number(b.id)), now };
}

const LISTINGS = 4;

/**
 * Every project's id, for `delete`. An id that is missing is a record removed, so the group is listed until a listing
 * has all that the one before had: then nothing went while that one was read, and nothing moved.
 */
export async function listIds(gitlab: Gitlab): Promise<string[]> {
  let before: Set<string> | null = null;
  for (let count = 0; count < LISTINGS; count += 1) {
    const listed: Set<string> = new Set();
    for (let query: string | null = firstPlace().query; query !== null; ) {
      const page: ProjectPage = await read(gitlab, query);
      for (const { id } of page.projects) listed.add(id);
      query = page.next;
    }
    if (before !== null && [...before].every((id) => listed.has(id)))
      return [...new Set([...before, ...listed])];
    before = listed;
  }
  throw new IncompleteListingError(
    'the projects of the group change too quickly to be listed; try again later',
  );
}

async function read(gitlab: Gitlab, query: string): Promise<ProjectPage> {
  try {
    return await gitlab.projectPage(query);
  } catch (error) {
    throw error instanceof GitlabFault ? asEnd(error) : error;
  }
}

function asEnd(fault: GitlabFault): JobError {
  if (fault.kind !== 'missing') return fault.asJobError();
  const words = `GitLab: ${fault.message}: GITLAB_GROUP is unknown there, or GITLAB_TOKEN may not see it`;
  return new JobError('notConfigured', words, { cause: fault });
}
