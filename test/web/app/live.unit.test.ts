/** The cache holds the newest version of each job, in any order of responses and events. */
import { type InfiniteData, QueryClient, QueryObserver } from '@tanstack/react-query';
import { expect, test, vi } from 'vitest';
import type { JobJson } from '../../../src/client/client.ts';
import type { Client, JobPage, LiveEvent } from '../../../src/client/client.ts';
import type { FollowOptions } from '../../../src/client/events.ts';
import { Refused } from '../../../src/client/http.ts';
import { applyJob } from '../../../src/web/app/job-cache.ts';
import { type Connection, keepLive } from '../../../src/web/app/live.ts';

function job(of: Partial<JobJson>): JobJson {
  const shown = { id: 7, version: 1, status: 'running', status_reason: null, target: 'avo', env: 'qas' };
  // Only the members that the cache reads.
  return { ...shown, job_type: 'sync', created_at: '2026-11-25T10:00:00.000Z', ...of } as JobJson;
}

/** A page whose event stream the test drives by `tell`. */
function listening(cache = new QueryClient()) {
  const events: LiveEvent[] = [];
  const states: Connection[] = [];
  const gone = new AbortController();
  let follow: FollowOptions | undefined;
  let wake = Promise.withResolvers<void>();
  const client = {
    async *live(options: FollowOptions): AsyncGenerator<LiveEvent> {
      follow = options;
      while (!gone.signal.aborted) {
        yield* events.splice(0);
        await wake.promise;
        wake = Promise.withResolvers();
      }
    },
  };
  const done = keepLive({
    // The code under test calls no other method.
    client: client as unknown as Client,
    cache,
    signal: gone.signal,
    tell: (state) => states.push(state),
  });
  const close = async () => {
    gone.abort();
    wake.resolve();
    await done;
  };
  return {
    cache,
    states,
    close,
    connect: (connected: boolean) => follow?.onState?.({ connected }),
    async tell(...told: LiveEvent[]) {
      events.push(...told);
      wake.resolve();
      await expect.poll(() => events.length).toBe(0);
    },
    async [Symbol.asyncDispose]() {
      await close();
      cache.clear();
    },
  };
}

const LIST = ['jobs', { status: ['running'] }];

/** Starts a query as a view does; the test decides when the response arrives. */
function asked(cache: QueryClient, queryKey: readonly unknown[]) {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const fetched = cache.query({ queryKey, queryFn: () => promise });
  return async (answer: unknown) => {
    resolve(answer);
    await fetched;
  };
}

test('a response that was pending during a newer event does not restore the older state', async () => {
  await using page = listening();
  const { cache } = page;
  const answerJob = asked(cache, ['job', 7]);
  const answerActive = asked(cache, ['active']);
  const answerList = asked(cache, LIST);
  await page.tell(
    { kind: 'job', job: job({ version: 5, status: 'completed' }) },
    { kind: 'job', job: job({ id: 8, version: 6 }) },
  );
  const old = job({ version: 4 });
  await answerJob(old);
  await answerActive([old]);
  await answerList({ pages: [{ jobs: [old], next: undefined }], pageParams: [''] });
  expect(cache.getQueryData<JobJson>(['job', 7])?.status).toBe('completed');
  expect(cache.getQueryData<JobJson[]>(['active'])?.map(({ id }) => id)).toEqual([8]);
  const list = cache.getQueryData<InfiniteData<JobPage>>(LIST);
  expect(list?.pages.map(({ jobs }) => jobs.map(({ id }) => id))).toEqual([[8]]);
});

test('an event from before a request does not change its response', async () => {
  await using page = listening();
  const before = asked(page.cache, ['active']);
  await page.tell({ kind: 'job', job: job({ version: 5 }) });
  await before([]);
  expect(page.cache.getQueryData(['active'])).toHaveLength(1);
  // The job ended without an event.
  const after = asked(page.cache, ['active']);
  await after([]);
  expect(page.cache.getQueryData(['active'])).toEqual([]);
});

test('an event still updates the lists when a response has already brought the same state', async () => {
  await using page = listening();
  const { cache } = page;
  cache.setQueryData(['active'], [job({ version: 4, status: 'queued' })]);
  cache.setQueryData(['job', 7], job({ version: 5, status: 'deleted' }));
  await page.tell({ kind: 'job', job: job({ version: 5, status: 'deleted' }) });
  await expect.poll(() => cache.getQueryData(['active'])).toEqual([]);
});

test('a response older than an event changes nothing', () => {
  const cache = new QueryClient();
  applyJob(cache, job({ version: 6, status: 'deleted' }));
  applyJob(cache, job({ version: 5, status: 'cancelling' }));
  expect(cache.getQueryData<JobJson>(['job', 7])?.status).toBe('deleted');
  cache.clear();
});

test('opening the stream does not refetch a denied query', async () => {
  await using page = listening();
  const asks = { audit: 0, targets: 0 };
  const seen = [
    new QueryObserver(page.cache, {
      queryKey: ['audit'],
      retry: false,
      queryFn: () => {
        asks.audit++;
        return Promise.reject(new Refused(403, {}));
      },
    }),
    new QueryObserver(page.cache, { queryKey: ['targets'], queryFn: () => ++asks.targets }),
  ].map((observer) => observer.subscribe(() => undefined));
  await expect.poll(() => page.cache.getQueryState(['audit'])?.status).toBe('error');
  await page.tell({ kind: 'ready' });
  await expect.poll(() => asks.targets).toBe(2);
  expect(asks.audit).toBe(1);
  for (const leave of seen) leave();
});

test('a stream that closes takes its pending refetches with it, so that a hidden tab asks for nothing', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  await using page = listening();
  let asks = 0;
  const seen = new QueryObserver(page.cache, { queryKey: ['targets'], queryFn: () => ++asks });
  seen.subscribe(() => undefined);
  await page.tell({ kind: 'ready' });
  await page.close();
  await vi.advanceTimersByTimeAsync(1_000);
  vi.useRealTimers();
  expect(asks).toBe(1);
});

test('the connection is lost from the first failure on, even before it was live', async () => {
  await using page = listening();
  page.connect(false);
  page.connect(false);
  page.connect(true);
  page.connect(false);
  expect(page.states.map(({ kind }) => kind)).toEqual(['connecting', 'lost', 'live', 'lost']);
});
