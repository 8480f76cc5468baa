/** Jobs as they are heard of, put into every answer that the page holds; a late answer does not put older ones back. */
import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import type { JobJson } from '../../api/job-schema.ts';
import type { JobPage } from '../../client/client.ts';
import { isFinal } from '../../domain/status.ts';
import { matches, withJob, withJobInPages } from './job-filter.ts';

/** Lists that events do not carry are read anew, but not for each of a burst. */
const GATHER_MS = 300;
/** A list that has grown by so many jobs since it was read is cut to its pages again: a tab may be open for weeks. */
const MOST_GROWN = 1_000;
/** Questions whose answers are jobs. */
const OF_JOBS = new Set<unknown>(['job', 'jobs', 'active']);

/** Heard while answers were under way, which may be of before. */
const heard = new Map<number, JobJson>();

export function takeJob(cache: QueryClient, job: JobJson): void {
  const known = cache.getQueryData<JobJson>(['job', job.id]);
  if (known && known.version > job.version) return;
  if (underWay(cache) > 0) heard.set(job.id, job);
  put(cache, job);
  if (known?.status !== job.status || isFinal(job.status)) soon(cache, ['targets']);
  if (isFinal(job.status)) soon(cache, ['maintenance']);
}

/** @returns what ends it */
export function keepNewest(cache: QueryClient): () => void {
  return cache.getQueryCache().subscribe((event) => {
    const [about] = event.query.queryKey as readonly unknown[];
    if (event.type !== 'updated' || !OF_JOBS.has(about)) return;
    const { action } = event;
    if (action.type === 'fetch' && underWay(cache) === 1) heard.clear();
    if (action.type === 'success' && action.manual !== true)
      for (const job of heard.values()) put(cache, job);
  });
}

/** @param queryKey what is read anew; all for an empty one */
export function soon(cache: QueryClient, queryKey: readonly string[]): void {
  const name = queryKey.join(' ');
  if (waiting.has(name)) return;
  const timer = setTimeout(() => {
    waiting.delete(name);
    void cache.invalidateQueries({ queryKey });
  }, GATHER_MS);
  waiting.set(name, timer);
}

const waiting = new Map<string, ReturnType<typeof setTimeout>>();

function underWay(cache: QueryClient): number {
  return cache.isFetching({ predicate: ({ queryKey }) => OF_JOBS.has(queryKey[0]) });
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
    if (pages.some(({ jobs }) => jobs.length > MOST_GROWN)) soon(cache, ['jobs']);
  }
}
