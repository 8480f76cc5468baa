/** What the page holds is as new as what it has heard, in whatever order answers and events come. */
import { type InfiniteData, QueryClient } from '@tanstack/react-query';
import { expect, test } from 'vitest';
import type { JobJson } from '../../../src/api/job-schema.ts';
import type { Client, JobPage, LiveEvent } from '../../../src/client/client.ts';
import type { FollowOptions } from '../../../src/client/events.ts';
import { takeJob } from '../../../src/web/app/job-cache.ts';
import { type Connection, keepLive } from '../../../src/web/app/live.ts';

function job(of: Partial<JobJson>): JobJson {
  const shown = { id: 7, version: 1, status: 'running', status_reason: null, target: 'avo', env: 'qas' };
  // Only what is looked at.
  return { ...shown, job_type: 'sync', created_at: '2026-11-25T10:00:00.000Z', ...of } as JobJson;
}

/** A page that listens to what `tell` is given; the server's side of the stream is the test's. */
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
    // It asks for nothing else.
    client: client as unknown as Client,
    cache,
    signal: gone.signal,
    tell: (state) => states.push(state),
  });
  return {
    cache,
    states,
    connect: (connected: boolean) => follow?.onState?.({ connected }),
    async tell(...told: LiveEvent[]) {
      events.push(...told);
      wake.resolve();
      await expect.poll(() => events.length).toBe(0);
    },
    async [Symbol.asyncDispose]() {
      gone.abort();
      wake.resolve();
      await done;
      cache.clear();
    },
  };
}

const LIST = ['jobs', { status: ['running'] }];

/** Asks as a view does; the answer comes when the test gives it. */
function asked(cache: QueryClient, queryKey: readonly unknown[]) {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const fetched = cache.query({ queryKey, queryFn: () => promise });
  return async (answer: unknown) => {
    resolve(answer);
    await fetched;
  };
}

test('an answer that was under way when a newer state was heard does not put the older one back', async () => {
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

test('what was heard before a question was asked is left out of its answer', async () => {
  await using page = listening();
  const before = asked(page.cache, ['active']);
  await page.tell({ kind: 'job', job: job({ version: 5 }) });
  await before([]);
  expect(page.cache.getQueryData(['active'])).toHaveLength(1);
  // It ended while nothing was heard.
  const after = asked(page.cache, ['active']);
  await after([]);
  expect(page.cache.getQueryData(['active'])).toEqual([]);
});

test('a state that one answer told already still reaches the lists by its event', async () => {
  await using page = listening();
  const { cache } = page;
  cache.setQueryData(['active'], [job({ version: 4, status: 'queued' })]);
  cache.setQueryData(['job', 7], job({ version: 5, status: 'deleted' }));
  await page.tell({ kind: 'job', job: job({ version: 5, status: 'deleted' }) });
  await expect.poll(() => cache.getQueryData(['active'])).toEqual([]);
});

test('an answer of before what was heard changes nothing', () => {
  const cache = new QueryClient();
  takeJob(cache, job({ version: 6, status: 'deleted' }));
  takeJob(cache, job({ version: 5, status: 'cancelling' }));
  expect(cache.getQueryData<JobJson>(['job', 7])?.status).toBe('deleted');
  cache.clear();
});

test('it is lost from the first failure on, also before it ever was live', async () => {
  await using page = listening();
  page.connect(false);
  page.connect(false);
  page.connect(true);
  page.connect(false);
  expect(page.states.map(({ kind }) => kind)).toEqual(['connecting', 'lost', 'live', 'lost']);
});
