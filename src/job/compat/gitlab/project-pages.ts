/** Lists the group's projects page by page and misses none when projects are added, removed or moved meanwhile. */
import { JobError } from '../../job-error.ts';
import { Census } from './census.ts';
import { GitlabFault } from './gitlab-fault.ts';
import { type Gitlab, type Order, type ProjectPage, projectsQuery } from './gitlab.ts';
import type { Project } from './project.ts';
import { FIRST, readOverlapping, startOf, type Window, windowAfter } from './windows.ts';

/** A position in the listing: the page's query and the last id processed. */
export type PagePosition = { readonly query: string; readonly after: string };

/** The part of the GitLab client that a listing needs. */
type Listing = Pick<Gitlab, 'projectPage'>;

export type ProjectsRead = {
  /** In the order of their ids, all after the requested position. */
  readonly projects: readonly Project[];
  readonly total: number | null;
  readonly place: PagePosition;
  /** Null after the last page. */
  readonly next: PagePosition | null;
};

/** GitLab updates `last_activity_at` at most once an hour, so it may lag behind a push by this much. */
export const ACTIVITY_MARGIN_MS = 70 * 60_000;

const BY_ID: Order = { by: 'id', sort: 'asc' };
const BY_ACTIVITY: Order = { by: 'last_activity_at', sort: 'desc' };

export function firstPlace(): PagePosition {
  return { query: projectsQuery(BY_ID, FIRST), after: '0' };
}

/** Yields every project once, by id. @throws JobError if retries do not help */
export async function* projectPages(
  gitlab: Listing,
  from: PagePosition,
  census: Census = new Census(),
): AsyncGenerator<ProjectsRead> {
  for (let place: PagePosition | null = from; place !== null; ) {
    const here: PagePosition = place;
    const isKnown = ({ id }: Project): boolean => Number(id) <= Number(here.after);
    const { page, next } = await readFrom(gitlab, BY_ID, { window: windowOf(here.query), isKnown });
    const projects = page.projects.filter((project) => !isKnown(project));
    census.note({ news: projects.length, total: page.total });
    place = next && { query: projectsQuery(BY_ID, next), after: projects.at(-1)?.id ?? here.after };
    if (projects.length > 0 || place === null)
      yield { projects, total: page.total, place: here, next: place };
  }
}

/**
 * Projects with activity since a time, by id. Reads the newest activity first. A project that becomes active
 * meanwhile moves to the front and may be missed: its activity is later than the start of this run, so the next
 * delta finds it.
 */
export async function activeSince(gitlab: Listing, since: Date): Promise<Project[]> {
  const found = new Map<string, Project>();
  const census = new Census();
  const oldest = since.getTime() - ACTIVITY_MARGIN_MS;
  // A project that was active again has moved from the position where it was read.
  const isKnown = ({ id, activeAt }: Project): boolean => {
    const before = found.get(id);
    return before !== undefined && before.activeAt?.getTime() === activeAt?.getTime();
  };
  for (let window: Window | null = FIRST; window !== null; ) {
    const { page, next } = await readFrom(gitlab, BY_ACTIVITY, { window, isKnown });
    const recent = page.projects.filter(({ activeAt }) => (activeAt?.getTime() ?? Infinity) >= oldest);
    const news = recent.filter(({ id }) => !found.has(id)).length;
    census.note({ news, total: page.total });
    for (const project of recent) found.set(project.id, project);
    window = recent.length < page.projects.length ? null : next;
  }
  return [...found.values()].toSorted((a, b) => Number(a.id) - Number(b.id));
}

/** For `delete`: every project that exists during the whole listing, with the comparison to GitLab's totals. */
export async function listProjects(
  gitlab: Listing,
): Promise<{ projects: readonly Pick<Project, 'id' | 'isMarked'>[]; census: Census }> {
  const listed: Pick<Project, 'id' | 'isMarked'>[] = [];
  const census = new Census();
  for await (const { projects } of projectPages(gitlab, firstPlace(), census))
    listed.push(...projects.map(({ id, isMarked }) => ({ id, isMarked })));
  return { projects: listed, census };
}

async function readFrom(
  gitlab: Listing,
  order: Order,
  { window, isKnown }: { window: Window; isKnown: (project: Project) => boolean },
): Promise<{ page: ProjectPage; next: Window | null }> {
  const { answer: page, at } = await readOverlapping(window, {
    read: async (where) => inOrder(await read(gitlab, projectsQuery(order, where)), order),
    hasKnown: ({ projects }) => projects.some(isKnown),
  });
  const count = page.projects.length;
  if (page.more && count === 0)
    throw new JobError('failed', 'GitLab: an empty page of projects links a next page; run the job again');
  // GitLab counts and lists at different moments, so another page may follow a full one despite its total.
  const isLast = !page.more && count < at.size;
  return { page, next: isLast ? null : windowAfter(startOf(at) + count) };
}

/** Checks the order: a cache that ignores our query would return another order, and projects would be missed. */
function inOrder(page: ProjectPage, { by }: Order): ProjectPage {
  let oldest = Infinity;
  const isOther = page.projects.some(({ id, activeAt }, at) => {
    if (by === 'id') return Number(id) < Number(page.projects[at - 1]?.id ?? 0);
    const time = activeAt?.getTime() ?? oldest;
    oldest = Math.min(oldest, time);
    return time - oldest > ACTIVITY_MARGIN_MS;
  });
  if (!isOther) return page;
  const fix = 'check whether a cache in front of GitLab ignores the query';
  throw new JobError('failed', `GitLab: the projects come in another order than requested; ${fix}`);
}

/** Parses the window of a position, also from a checkpoint of an earlier version. */
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
  const words = `GitLab: ${fault.message}: GITLAB_GROUP does not exist, or GITLAB_TOKEN cannot see it`;
  return new JobError('notConfigured', words, { cause: fault });
}
