/**
 * `/events` and `/jobs/:id/events` over a real Postgres: which events come, how soon a stream ends, and that none
 * is missed.
 */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApp } from '../../../src/api/app.ts';
import { Backlog, JobFeed } from '../../../src/api/live/job-feed.ts';
import { type Change, listenForChanges } from '../../../src/db/changes.ts';
import { oneOfMany, openStream } from '../event-stream.ts';
import { type Api, claimed, setup } from '../support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup();
});
afterAll(() => api[Symbol.asyncDispose]());

const open = (where: string, options?: Parameters<typeof openStream>[2]) => openStream(api, where, options);

const report = (job: { id: number }, token: string, body: object) =>
  api.call('PUT', `/jobs/${job.id}/report`, { token, json: body });

it('a stream shows a job from its start to its end, each report as it comes, version by version', async () => {
  await using stream = await open('/events');
  await stream.until('ready');
  const job = await claimed(api);
  await stream.until('job', ({ id, status }) => id === job.id && status === 'starting');
  const { ref, token } = await job.begin();
  await report(job, token, { seq: 1, phase: 'load', records_done: 10, records_total: 40 });
  await stream.until('job', ({ id, progress }) => id === job.id && progress?.percent === 25);
  await report(job, token, { seq: 2, phase: 'load', records_done: 20, records_total: 40 });
  await stream.until('job', ({ id, progress }) => id === job.id && progress?.percent === 50);
  await job.end(ref);
  await job.finish();
  await stream.until('job', ({ id, status }) => id === job.id && status === 'completed');
  const versions = stream.told.flatMap(({ event, data }) => (event === 'job' ? [Number(data.version)] : []));
  expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  const last = stream.told.findLast(({ event }) => event === 'job')?.data;
  expect(last).toEqual((await api.call('GET', `/jobs/${job.id}`)).body);
});

it('the stream of one job ends with the job, and that of a final job at once', async () => {
  const job = await claimed(api);
  await using other = await open(`/jobs/${job.id}/events`);
  await other.until('job', ({ status }) => status === 'starting');
  const noise = await api.call('POST', '/sync/beta/dev');
  const { ref } = await job.begin();
  await job.end(ref);
  await job.finish();
  await other.until('end');
  await expect.poll(other.isOver).toBe(true);
  expect(new Set(other.told.map(({ data }) => data.id ?? job.id))).toEqual(new Set([job.id]));
  await using again = await open(`/jobs/${job.id}/events`);
  await again.until('end');
  expect(again.statusesOf(job.id)).toEqual(['completed']);
  await api.call('DELETE', `/jobs/${noise.body.job_id}`);
});

it('a listener that is cut and comes back misses nothing', async () => {
  let lastEventId: string | undefined;
  {
    await using stream = await open('/events');
    await stream.until('ready');
    lastEventId = stream.told.at(-1)?.id;
  }
  const job = await claimed(api);
  await using back = await open('/events', lastEventId === undefined ? {} : { lastEventId });
  await back.until('job', ({ id }) => id === job.id);
  await api.call('DELETE', `/jobs/${job.id}`);
  await back.until('job', ({ id, status }) => id === job.id && status === 'cancelling');
  await job.finish();
});

it('a listener that is cut again before it got the missed events can still get them', async () => {
  const job = await claimed(api);
  await job.finish();
  // Older than the overlap that is sent again anyway.
  await sql`ALTER TABLE jobs DISABLE TRIGGER USER`.execute(api.db);
  await sql`UPDATE jobs SET updated_at = now() - interval '5 minutes' WHERE id = ${job.id}`.execute(api.db);
  await sql`ALTER TABLE jobs ENABLE TRIGGER USER`.execute(api.db);
  const lastEventId = String(Date.now() - 10 * 60_000);
  await using back = await open('/events', { lastEventId });
  await back.until('ready');
  const first = back.told.find(({ event }) => event === 'ready')?.id ?? '';
  await using again = await open('/events', { lastEventId: first });
  await again.until('job', ({ id }) => id === job.id);
});

it('jobs that wait for a slow listener are sent in the order of their changes', () => {
  const backlog = new Backlog(undefined);
  for (const [id, version] of [
    [1, 4],
    [2, 5],
    [3, 2],
    [1, 6],
  ] as const)
    backlog.add({ id, version, isFinal: false, changedAt: new Date(0), frame: '' });
  expect(backlog.take().jobs.map(({ version }) => version)).toEqual([2, 5, 6]);
});

it('a listener that missed too many changes is told to read everything again', async () => {
  await using present = await open('/events');
  await present.until('ready');
  await sql`INSERT INTO jobs (uid, env, target, action_name, action, is_tag, options, runner, steps_spec,
      spec_hash, "trigger", requested_by, status, finished_at)
    SELECT gen_random_uuid(), 'dev', 'many-' || n, 'sync', 'sync', 'latest', '', 'process', '[]', '', 'api', 'test',
      'completed', now() FROM generate_series(1, 300) n`.execute(api.db);
  await present.until('reset'); // otherwise the next change would be part of the same flood
  await using back = await open('/events', { lastEventId: String(Date.now()) });
  await back.until('reset');
  expect(back.told.filter(({ event }) => event === 'job')).toEqual([]);
  // Changes from now on are sent again.
  const { body } = await api.call('POST', '/sync/beta/dev');
  await back.until('job', ({ id }) => id === body.job_id);
  await api.call('DELETE', `/jobs/${body.job_id}`);
  await sql`DELETE FROM jobs WHERE target LIKE 'many-%'`.execute(api.db);
});

it('in a flood of changes a listener of all jobs is told to read again, and nobody is delayed', async () => {
  await using all = await open('/events');
  await all.until('ready');
  const job = await claimed(api);
  await using one = await open(`/jobs/${job.id}/events`);
  await one.until('job');
  await api.db.transaction().execute(async (tx) => {
    await sql`INSERT INTO jobs (uid, env, target, action_name, action, is_tag, options, runner, steps_spec,
        spec_hash, "trigger", requested_by, status, finished_at)
      SELECT gen_random_uuid(), 'dev', 'many-' || n, 'sync', 'sync', 'latest', '', 'process', '[]', '', 'api', 'test',
        'completed', now() FROM generate_series(1, 5000) n`.execute(tx);
    await sql`UPDATE jobs SET status_detail = 'in the flood' WHERE id = ${job.id}`.execute(tx);
  });
  await all.until('reset');
  await one.until('job', ({ status_detail: detail }) => detail === 'in the flood');
  const began = all.told.length;
  await sql`UPDATE jobs SET status_detail = 'after it' WHERE id = ${job.id}`.execute(api.db);
  await all.until('job', ({ status_detail: detail }) => detail === 'after it');
  expect(all.told.length - began).toBeLessThan(600);
  await api.call('DELETE', `/jobs/${job.id}`);
  await job.finish();
  await sql`DELETE FROM jobs WHERE target LIKE 'many-%'`.execute(api.db);
});

it('streams continue after Postgres has cut the listening connection, with the changes meanwhile', async () => {
  await using stream = await open('/events');
  await stream.until('ready');
  const ended = await sql<{ ended: boolean }>`SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity
    WHERE application_name = 'syncrator-listen' AND datname = current_database()`.execute(api.db);
  expect(ended.rows).toContainEqual({ ended: true });
  const { body } = await api.call('POST', '/sync/beta/dev');
  await stream.until('job', ({ id }) => id === body.job_id);
  await api.call('DELETE', `/jobs/${body.job_id}`);
  await stream.until('job', ({ id, status }) => id === body.job_id && status === 'deleted');
});

/** Live jobs that get the changes of `tell`, over a database that reports each query. */
function heardBy(onAsk: () => void) {
  let tell: ((change: Change) => void) | undefined;
  const live = new JobFeed({
    ...api.deps,
    db: api.db.withPlugin({
      transformQuery: ({ node }) => {
        onAsk();
        return node;
      },
      transformResult: ({ result }) => Promise.resolve(result),
    }),
    changes: {
      subscribe: (listener) => {
        tell = listener;
        return () => undefined;
      },
      close: () => Promise.resolve(),
    },
  });
  return { live, tell: (change: Change) => tell?.(change) };
}

it('missed changes are read once, however many listen', async () => {
  const { body } = await api.call('POST', '/sync/beta/dev');
  let asked = 0;
  const { live, tell } = heardBy(() => (asked += 1));
  using stack = new DisposableStack();
  const all = Array.from({ length: 50 }, () => stack.use(live.listen()));
  const one = stack.use(live.listen(Number(body.job_id)));
  asked = 0;
  tell({ kind: 'connected' });
  await expect.poll(() => one.take().jobs.map(({ id }) => id)).toEqual([body.job_id]);
  for (const backlog of all) expect(backlog.take()).toMatchObject({ maintenance: true, tooMuch: false });
  expect(asked).toBeLessThan(10);
  await api.call('DELETE', `/jobs/${body.job_id}`);
});

it('changes missed first are not forgotten when the connection is lost again before they were read', async () => {
  const { body } = await api.call('POST', '/sync/beta/dev');
  const id = Number(body.job_id);
  let isAway = false;
  const { live, tell } = heardBy(() => {
    if (!isAway) return;
    isAway = false;
    tell({ kind: 'job', id: 999_999 });
    tell({ kind: 'connected' });
    throw new Error('Postgres is away');
  });
  using backlog = live.listen();
  await sql`ALTER TABLE jobs DISABLE TRIGGER USER`.execute(api.db);
  await sql`UPDATE jobs SET updated_at = now() - interval '29.5 s' WHERE id = ${id}`.execute(api.db);
  await sql`ALTER TABLE jobs ENABLE TRIGGER USER`.execute(api.db);
  await wait(1_200); // more changes follow than the overlap covers
  isAway = true;
  tell({ kind: 'connected' });
  await expect.poll(() => backlog.take().jobs.map((job) => job.id), { timeout: 5_000 }).toContain(id);
  await api.call('DELETE', `/jobs/${id}`);
});

it('one api process sends the changes that another has made', async () => {
  const changes = listenForChanges({ url: api.deps.config.databaseUrl, onError: () => undefined });
  try {
    const second = createApp({ ...api.deps, changes });
    await using stream = await open('/events', { app: second });
    await stream.until('ready');
    const { body } = await api.call('POST', '/sync/beta/dev');
    await stream.until('job', ({ id }) => id === body.job_id);
    await api.call('DELETE', `/jobs/${body.job_id}`);
  } finally {
    await changes.close();
  }
});

it('a stream tells when maintenance begins and ends', async () => {
  await using stream = await open('/events');
  await stream.until('ready');
  await api.call('POST', '/maintenance-status', { json: { msg: 'Solr upgrade', paused: true } });
  await stream.until('maintenance', ({ paused, msg }) => paused === true && msg === 'Solr upgrade');
  await api.call('POST', '/maintenance-status', { json: { msg: 'Done', paused: false } });
  await stream.until('maintenance', ({ engine }) => engine === 'RUNNING');
});

it('an unknown job, a made-up event id, the 51st stream of one caller and the 201st of all are refused with a message', async () => {
  expect((await api.call('GET', '/jobs/999999/events')).status).toBe(404);
  const odd = await api.call('GET', '/events', { headers: { 'last-event-id': 'yesterday' } });
  expect(odd).toMatchObject({ status: 400, body: { code: 'bad_header' } });
  await using stack = new AsyncDisposableStack();
  for (let n = 0; n < 200; n += 1) stack.use(await open('/events', { token: await oneOfMany(api, n) }));
  const refused = await api.call('GET', '/events');
  expect(refused).toMatchObject({ status: 503, body: { code: 'too_many_streams' } });
  expect(refused.headers.get('retry-after')).toBe('10');
  const own = await api.call('GET', '/events', { token: await oneOfMany(api, 0) });
  expect(own).toMatchObject({ status: 429, body: { code: 'too_many_streams' } });
});
