/** Applies job events to every cached response; a response that arrives late never replaces a newer version of a job. */
import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import type { JobJson } from '../../client/client.ts';
import type { JobPage } from '../../client/client.ts';
import { isFinal } from '../../domain/status.ts';
import { refetch } from './refetch.ts';
import { matches, withJob, withJobInPages } from './job-filter.ts';

/** Delay before a refetch, so that a burst of events causes one. */
const DEBOUNCE_MS = 300;
/** A page that events have grown beyond this many jobs is refetched, so that a tab open for weeks stays small. */
const MAX_PAGE_JOBS = 1_000;
/** First elements of the query keys whose responses hold jobs. */
const JOB_QUERIES = new Set<unknown>(['job', 'jobs', 'active']);

/** Jobs from events that arrived during a request, whose response may be older. */
const recentJobs = new Map<number, JobJson>();

export function applyJob(cache: QueryClient, job: JobJson): void {
  const known = cache.getQueryData<JobJson>(['job', job.id]);
  if (known && known.version > job.version) return;
  if (pendingRequests(cache) > 0) recentJobs.set(job.id, job);
  put(cache, job);
  if (known?.status !== job.status || isFinal(job.status)) refetchSoon(cache, ['targets']);
  if (isFinal(job.status)) for (const name of ['maintenance', 'losses', 'plans']) refetchSoon(cache, [name]);
}

/** Reapplies events that arrived during a request to its response. @returns a function that unsubscribes */
export function keepNewest(cache: QueryClient): () => void {
  return cache.getQueryCache().subscribe((event) => {
    const [about] = event.query.queryKey as readonly unknown[];
    if (event.type !== 'updated' || !JOB_QUERIES.has(about)) return;
    const { action } = event;
    if (action.type === 'fetch' && pendingRequests(cache) === 1) recentJobs.clear();
    if (action.type === 'success' && action.manual !== true)
      for (const job of recentJobs.values()) put(cache, job);
  });
}

/** Refetches after a short delay. @param queryKey prefix of the queries to refetch; all queries when empty */
export function refetchSoon(cache: QueryClient, queryKey: readonly string[]): void {
  const name = queryKey.join(' ');
  if (waiting.has(name)) return;
  const timer = setTimeout(() => {
    waiting.delete(name);
    refetch(cache, { queryKey });
  }, DEBOUNCE_MS);
  waiting.set(name, timer);
}

/** For a stream that closes: once the next one is open, everything is refetched. A hidden tab asks for nothing. */
export function dropRefetches(): void {
  for (const timer of waiting.values()) clearTimeout(timer);
  waiting.clear();
}

const waiting = new Map<string, ReturnType<typeof setTimeout>>();

function pendingRequests(cache: QueryClient): number {
  return cache.isFetching({ predicate: ({ queryKey }) => JOB_QUERIES.has(queryKey[0]) });
}

function put(cache: QueryClient, job: JobJson): void {
  cache.setQueryData<JobJson>(['job', job.id], (known) =>
    known && known.version > job.version ? known : job,
  );
  cache.setQueryData<readonly JobJson[]>(
    ['active'],
    (jobs) => jobs && withJob(jobs, job, { fits: !isFinal(job.status), mayEnter: true }),
  );
  for (const [key, before] of cache.getQueriesData<InfiniteData<JobPage>>({ queryKey: ['jobs'] })) {
    if (!before) continue;
    const pages = withJobInPages(before.pages, job, matches(key[1] ?? {}, job));
    if (pages === before.pages) continue;
    cache.setQueryData<InfiniteData<JobPage>>(key, { ...before, pages: [...pages] });
    if (pages.some(({ jobs }) => jobs.length > MAX_PAGE_JOBS)) refetchSoon(cache, ['jobs']);
  }
}
