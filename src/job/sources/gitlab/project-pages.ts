/** The group's projects, page by page: none is left out because another one went, came or was moved meanwhile. */

import { IncompleteListingError, JobError } from '../../job-error.ts';
import { GitlabFault } from './gitlab-fault.ts';
import { type Gitlab, type Order, type Project, type ProjectPage, projectsQuery } from './gitlab.ts';
import { FIRST, readOverlapping, startOf, type Window, windowAfter } from './windows.ts';

/** Where a reading goes on: the page's query, and the last id that was dealt with. */
export type Place = { readonly query: string; readonly after: string };

/** All of GitLab that is needed here. */
type Listing = Pick<Gitlab, 'projectPage'>;

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

const BY_ID: Order = { by: 'id', sort: 'asc' };
const BY_ACTIVITY: Order = { by: 'last_activity_at', sort: 'desc' };
/** Projects that come in front push what is known ahead of us, but not for ever. */
const MOST_WITHOUT_NEWS = 100;

export function firstPlace(): Place {
  return { query: projectsQuery(BY_ID, FIRST), after: '0' };
}

/** Every project once, by id. @throws JobError for what no further try mended */
export async function* projectPages(gitlab: Listing, from: Place): AsyncGenerator<ProjectsRead> {
  const news = new News();
  for (let place: Place | null = from; place !== null; ) {
    const here: Place = place;
    const isKnown = ({ id }: Project): boolean => Number(id) <= Number(here.after);
    const { page, next } = await readFrom(gitlab, BY_ID, { window: windowOf(here.query), isKnown });
    const projects = page.projects.filter((project) => !isKnown(project));
    news.expect(projects);
    place = next && { query: projectsQuery(BY_ID, next), after: projects.at(-1)?.id ?? here.after };
    if (projects.length > 0 || place === null)
      yield { projects, total: page.total, now: page.now, place: here, next: place };
  }
}

/**
 * Projects in which something may have happened since, by id. Read newest activity first; who becomes active meanwhile
 * moves to the front, where it may be seen by nobody: that is after `now`, and the next delta's.
 */
export async function activeSince(gitlab: Listing, since: Date): Promise<{ projects: Project[]; now: Date }> {
  const found = new Map<string, Project>();
  const news = new News();
  const oldest = since.getTime() - ACTIVITY_MARGIN_MS;
  // One that was active again lies no more where it was read.
  const isKnown = ({ id, activeAt }: Project): boolean => {
    const before = found.get(id);
    return before !== undefined && before.activeAt?.getTime() === activeAt?.getTime();
  };
  let now: Date | null = null;
  for (let window: Window | null = FIRST; window !== null; ) {
    const { page, next } = await readFrom(gitlab, BY_ACTIVITY, { window, isKnown });
    now ??= page.now;
    const recent = page.projects.filter(({ activeAt }) => (activeAt?.getTime() ?? Infinity) >= oldest);
    news.expect(recent.filter(({ id }) => !found.has(id)));
    for (const project of recent) found.set(project.id, project);
    window = recent.length < page.projects.length ? null : next;
  }
  return {
    projects: [...found.values()].toSorted((a, b) => Number(a.id) - Number(b.id)),
    now: now ?? since,
  };
}

/** The id of every project that is there all the while, for `delete`. */
export async function listIds(gitlab: Listing): Promise<string[]> {
  const ids: string[] = [];
  for await (const { projects } of projectPages(gitlab, firstPlace()))
    ids.push(...projects.map(({ id }) => id));
  return ids;
}

/** A listing that goes on and on, as of a server that gives the same page whatever is asked, ends here. */
class News {
  #without = 0;

  expect(news: readonly Project[]): void {
    this.#without = news.length > 0 ? 0 : this.#without + 1;
    if (this.#without > MOST_WITHOUT_NEWS) {
      throw new IncompleteListingError(
        'the projects of the group change too quickly to be listed; try again later',
      );
    }
  }
}

async function readFrom(
  gitlab: Listing,
  order: Order,
  { window, isKnown }: { window: Window; isKnown: (project: Project) => boolean },
): Promise<{ page: ProjectPage; next: Window | null }> {
  const { answer: page, at } = await readOverlapping(window, {
    read: (where) => read(gitlab, projectsQuery(order, where)),
    hasKnown: ({ projects }) => projects.some(isKnown),
  });
  const count = page.projects.length;
  if (page.more && count === 0) {
    throw new JobError('failed', 'GitLab: a page of projects promises more and has none');
  }
  // GitLab counts and reads at two moments: that none follow a full page may no longer be so.
  const isLast = !page.more && count < at.size;
  return { page, next: isLast ? null : windowAfter(startOf(at) + count) };
}

/** Also of a checkpoint that an earlier version wrote. */
function windowOf(query: string): Window {
  const of = new URLSearchParams(query);
  const [page, size] = [Number(of.get('page')), Number(of.get('per_page'))];
  return page >= 1 && size >= 1 ? { page, size } : FIRST;
}

async function read(gitlab: Listing, query: string): Promise<ProjectPage> {
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
