/** Keeps every answer on the page as new as the server's: one event stream for all views, told when it is cut. */
import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import type { JobJson } from '../../api/job-schema.ts';
import type { Client, JobPage } from '../../client/client.ts';
import { Refused } from '../../client/http.ts';
import { isFinal } from '../../domain/status.ts';
import { matches, withJob } from './job-filter.ts';

/** Since when, and why, nothing is heard; undefined while the stream is open. */
export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'lost'; readonly since: number };

/** Lists that events do not carry are read anew, but not for each of a burst. */
const GATHER_MS = 300;

/** Until the signal aborts. @param tell the state of the connection, when it changes */
export async function keepLive(of: {
  client: Client;
  cache: QueryClient;
  signal: AbortSignal;
  tell: (connection: Connection) => void;
}): Promise<void> {
  const { client, cache, signal, tell } = of;
  let state: Connection = { kind: 'connecting' };
  const onState = ({ connected }: { connected: boolean }) => {
    if (connected === (state.kind === 'live')) return;
    if (connected) state = { kind: 'live' };
    else state = { kind: 'lost', since: state.kind === 'lost' ? state.since : Date.now() };
    tell(state);
  };
  tell(state);
  let isFirst = true;
  try {
    for await (const event of client.live({ signal, onState })) {
      if (event.kind === 'job') takeJob(cache, event.job);
      if (event.kind === 'maintenance') {
        cache.setQueryData(['maintenance'], event.maintenance);
        void cache.invalidateQueries({ queryKey: ['maintenance', 'history'] });
      }
      // What was asked before the stream was open may have changed between the two. After a cut it misses nothing.
      if (event.kind === 'reset' || (event.kind === 'ready' && isFirst)) soon(cache, []);
      isFirst = false;
    }
  } catch (error) {
    // Refused: whoever looks must sign in first, which the questions of the views say too.
    if (!(error instanceof Refused)) throw error;
    tell({ kind: 'lost', since: Date.now() });
  }
}

function takeJob(cache: QueryClient, job: JobJson): void {
  const known = cache.getQueryData<JobJson>(['job', job.id]);
  if (known && known.version >= job.version) return;
  cache.setQueryData(['job', job.id], job);
  cache.setQueryData<readonly JobJson[]>(
    ['active'],
    (jobs) => jobs && withJob(jobs, job, { fits: !isFinal(job.status), isFirstPage: true }),
  );
  for (const [key] of cache.getQueriesData<InfiniteData<JobPage>>({ queryKey: ['jobs'] })) {
    const fits = matches(key[1] ?? {}, job);
    cache.setQueryData<InfiniteData<JobPage>>(key, (list) => {
      if (!list) return list;
      const pages = list.pages.map((page, at) => {
        const jobs = withJob(page.jobs, job, { fits, isFirstPage: at === 0 });
        return jobs === page.jobs ? page : { ...page, jobs };
      });
      return pages.every((page, at) => page === list.pages[at]) ? list : { ...list, pages };
    });
  }
  if (known?.status !== job.status) soon(cache, ['targets']);
  if (isFinal(job.status)) soon(cache, ['maintenance']);
}

const waiting = new Map<string, ReturnType<typeof setTimeout>>();

/** @param queryKey what is read anew; all for an empty one */
function soon(cache: QueryClient, queryKey: readonly string[]): void {
  const name = queryKey.join(' ');
  if (waiting.has(name)) return;
  const timer = setTimeout(() => {
    waiting.delete(name);
    void cache.invalidateQueries({ queryKey });
  }, GATHER_MS);
  waiting.set(name, timer);
}
