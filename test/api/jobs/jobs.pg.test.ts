/** Listing, showing, cancelling; reports; logs and their streams. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sql } from 'kysely';
import { appendLog } from '../../../src/db/jobs/logs.ts';
import { makeReportToken } from '../../../src/auth/report-token.ts';
import { oneOfMany } from '../event-stream.ts';
import { type Api, claimed, SECRET, setup } from '../support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup();
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  await sql`TRUNCATE jobs, idempotency_keys, targets, sync_jobs CASCADE`.execute(api.db);
});

const ids = (body: { id: number }[]) => body.map((job) => job.id);

async function seven(): Promise<number[]> {
  const made: number[] = [];
  for (let i = 0; i < 7; i++) {
    const where = i % 2 === 0 ? '/sync/alpha/dev' : '/sync/alpha/qas';
    const { body } = await api.call('POST', where);
    made.unshift(body.job_id);
    if (i < 5) await api.call('DELETE', `/jobs/${body.job_id}`);
  }
  return made;
}

const next = (headers: Headers) => /<([^>]*)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];

const put = (id: number, token: string | null, json: unknown = { seq: 1, phase: 'reading' }) =>
  api.call('PUT', `/jobs/${id}/report`, { token, json });

const write = async (ref: { jobId: number; step: number; attempt: number }, offset: number, text: string) =>
  appendLog(
    api.db,
    ref,
    {
      offset,
      bytes: Buffer.from(text),
      next: { offset: offset + Buffer.byteLength(text), mark: null },
    },
    { head: 1_000_000, tail: 1_000_000 },
  );

describe('GET /jobs', () => {
  it('jobs are paged by cursor and by number, and pages past the end are empty', async () => {
    const all = await seven();
    for (const start of ['/jobs?limit=3', '/jobs?limit=3&page=1']) {
      const seen: number[] = [];
      let where: string | undefined = start;
      while (where) {
        const answer = await api.call('GET', where);
        expect(answer.headers.get('link')).toContain('rel="first"');
        seen.push(...ids(answer.body));
        where = next(answer.headers);
      }
      expect(seen).toEqual(all);
    }
    expect((await api.call('GET', '/jobs?page=99')).body).toEqual([]);
  });

  it('jobs are filtered', async () => {
    const all = await seven();
    const get = async (query: string) => ids((await api.call('GET', `/jobs?${query}`)).body);
    expect(await get('status=queued')).toEqual(all.slice(0, 2));
    expect(await get('ignoreCompleted=true')).toEqual(all.slice(0, 2));
    expect(await get('status=queued,deleted')).toEqual(all);
    expect(await get('status=queued&status=deleted')).toEqual(all);
    expect(await get('status=failed')).toEqual([]);
    expect(await get('env=qas')).toEqual([all[1], all[3], all[5]]);
    expect(await get('operation=delta,sync&target=alpha')).toEqual(all);
    expect(await get('operation=delta')).toEqual([]);
    expect(await get('since=2999-01-01T00:00:00Z')).toEqual([]);
    expect(await get('until=2999-01-01T00:00:00%2B02:00')).toEqual(all);
    expect(ids((await api.call('GET', '/targets/alpha/jobs?env=qas')).body)).toEqual([
      all[1],
      all[3],
      all[5],
    ]);
  });
});

describe('GET /jobs/:id', () => {
  it('a job is shown with step, progress and sync job, and without secrets', async () => {
    const job = await claimed(api);
    const { token, ref } = await job.begin();
    const report = {
      seq: 1,
      phase: 'reading',
      records_done: 250,
      records_total: 1000,
      added: 3,
      data_source: 'https://user:s3cret@source/x',
      target_datastore_url: 'postgres://db:s3cret@p@host:5432/db?password=s3cret',
      version: '2.4.0',
      message: 'from amqp://me:s3cret@queue/',
    };
    expect((await api.call('PUT', `/jobs/${job.id}/report`, { token, json: report })).status).toBe(200);
    const { body, text } = await api.call('GET', `/jobs/${job.id}`);
    expect(text).not.toContain('s3cret');
    expect(body).toMatchObject({
      id: job.id,
      uid: job.uid,
      target: 'alpha',
      env: 'dev',
      job_type: 'sync',
      status: 'running',
      stalled: false,
      progress: { phase: 'reading', percent: 25, added: 3, failed: null },
      sync_job: {
        type: 'sync',
        total_records: 250,
        target_datastore_url: 'postgres://<FILTERED>@host:5432/db?password=<FILTERED>',
      },
      temporal_url: `http://temporal.test:8233/namespaces/${api.deps.config.temporal.namespace}/workflows/syncrator%2Fdev%2Falpha`,
      log: `/jobs/${job.id}/logs`,
    });
    expect(body.sync_id).toBe(body.sync_job.id);
    expect(body.steps).toHaveLength(1);
    const stored = await sql<{ url: string }>`SELECT target_datastore_url AS url FROM sync_jobs`.execute(
      api.db,
    );
    expect(stored.rows[0]?.url).not.toContain('s3cret');
    await sql`UPDATE reports SET at = now() - interval '31 seconds'`.execute(api.db);
    expect((await api.call('GET', `/jobs/${job.id}`)).body.stalled).toBe(true);
    await sql`DELETE FROM reports`.execute(api.db);
    await sql`UPDATE steps SET started_at = now() - interval '31 seconds'`.execute(api.db);
    expect((await api.call('GET', `/jobs/${job.id}`)).body.stalled).toBe(true); // the program never reported
    await job.end(ref);
    await job.finish();
    const done = (await api.call('GET', `/jobs/${job.id}`)).body;
    expect([done.status, done.stalled, done.sync_job.completed]).toEqual(['completed', false, true]);
    expect(done.finished_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it.each([
    ['/jobs/999999', 404],
    ['/jobs/abc', 400],
    ['/jobs/0', 400],
    ['/jobs/2147483648', 400],
    ['/jobs/1e3', 400],
    ['/jobs/-1', 400],
  ])('GET %s is %i', async (where, status) => {
    for (const method of ['GET', 'DELETE']) expect((await api.call(method, where)).status).toBe(status);
  });
});

describe('DELETE /jobs/:id', () => {
  it('a cancel ends a queued job, and changes nothing the second time', async () => {
    const { body } = await api.call('POST', '/sync/alpha/dev');
    const first = await api.call('DELETE', `/jobs/${body.job_id}`);
    expect([first.status, first.body.status, first.body.cancel_requested_by]).toEqual([
      200,
      'deleted',
      'admin',
    ]);
    const second = await api.call('DELETE', `/jobs/${body.job_id}`);
    expect([second.status, second.body]).toEqual([200, first.body]);
  });

  it('a cancel of a claimed job begins its end; only such a job may be force-deleted', async () => {
    const job = await claimed(api);
    expect((await api.call('POST', `/jobs/${job.id}/force-delete`)).status).toBe(409);
    expect((await api.call('POST', '/jobs/999999/force-delete')).status).toBe(404);
    const cancelled = await api.call('DELETE', `/jobs/${job.id}`);
    expect([cancelled.status, cancelled.body.status]).toEqual([202, 'cancelling']);
    expect((await api.call('DELETE', `/jobs/${job.id}`)).status).toBe(202);
    expect((await api.call('POST', '/sync/alpha/dev')).status).toBe(409);
    expect((await api.call('POST', `/jobs/${job.id}/force-delete`)).status).toBe(202);
  });
});

describe('reports', () => {
  it('reports are stored in order, stale ones ignored, and refused after the end', async () => {
    const job = await claimed(api);
    const { token, ref } = await job.begin();
    for (const [seq, accepted] of [
      [1, true],
      [3, true],
      [2, false],
      [3, false],
      [4, true],
    ] as const) {
      const answer = await put(job.id, token, { seq, phase: 'reading', records_done: seq });
      expect([answer.status, answer.body]).toEqual([200, { accepted }]);
    }
    await job.end(ref);
    expect((await put(job.id, token, { seq: 5, phase: 'done' })).status).toBe(410);
    expect((await api.call('GET', `/jobs/${job.id}`)).body.progress.records_done).toBe(4);
  });

  it('reports whose number leaps are refused and audited, and later reports of the program are accepted', async () => {
    const job = await claimed(api);
    const { token } = await job.begin();
    const report = (seq: number) => put(job.id, token, { seq, phase: `at ${seq}` });
    expect((await report(1_000_001)).status).toBe(409);
    expect((await report(3)).body).toEqual({ accepted: true });
    const leap = await report(2_000_000_000);
    expect(leap).toMatchObject({ status: 409, body: { code: 'seq_leaps' } });
    expect((await report(4)).body).toEqual({ accepted: true });
    expect((await api.call('GET', `/jobs/${job.id}`)).body.progress.phase).toBe('at 4');
    const lines = await api.call('GET', '/audit?verb=report&refused=true&limit=1');
    expect(lines.body).toMatchObject([
      {
        principal: `job ${job.id}, step 0, attempt 1`,
        object: `job ${job.id}`,
        refused: 'seq_leaps',
        detail: {
          message: 'seq 2000000000 is too high: the newest is 3; increase seq by one for each report',
        },
      },
    ]);
  });

  it('reports need the token of this very attempt', async () => {
    const one = await claimed(api, '/sync/alpha/dev');
    const two = await claimed(api, '/sync/alpha/qas');
    const mine = await one.begin();
    const other = await two.begin();
    expect((await put(one.id, null)).status).toBe(401);
    expect((await put(one.id, 'nonsense')).status).toBe(401);
    expect((await put(one.id, api.token)).status).toBe(401);
    expect((await put(one.id, other.token)).status).toBe(403);
    expect((await put(999_999, mine.token)).status).toBe(404);
    const forged = mine.token.replace(/^0\.1\./, '0.2.');
    expect((await put(one.id, forged)).status).toBe(403);
    const notBegun = makeReportToken([SECRET], { uid: one.uid, step: 1, attempt: 1 });
    expect((await put(one.id, notBegun)).status).toBe(404);
    expect((await api.call('GET', '/jobs', { token: mine.token })).status).toBe(401);
    expect((await put(one.id, mine.token)).status).toBe(200);
  });

  it('reports of a program that begins while its job is cancelled are answered with 409', async () => {
    const job = await claimed(api);
    const { token } = await job.begin();
    await api.call('DELETE', `/jobs/${job.id}`);
    expect((await put(job.id, token)).status).toBe(409);
  });

  it('reports are small, and limited to one a second on average', async () => {
    const job = await claimed(api);
    const { token } = await job.begin();
    const large = { seq: 1, phase: 'reading', message: 'x'.repeat(200_000) };
    expect((await put(job.id, token, large)).status).toBe(413);
    const wrong = {
      seq: 0,
      phase: 'reading',
      colour: 1,
      checkpoint: 'x'.repeat(57 * 1024),
      records_done: -1,
    };
    const refused = await put(job.id, token, wrong);
    expect(refused.status).toBe(422);
    expect(refused.body.errors.map((e: { field: string }) => e.field).toSorted()).toEqual([
      'checkpoint',
      'colour',
      'records_done',
      'seq',
    ]);
    const answers = [];
    for (let seq = 1; seq <= 70; seq++) answers.push(await put(job.id, token, { seq, phase: 'reading' }));
    const late = answers.filter((a) => a.status === 429);
    expect(late.length).toBeGreaterThan(0);
    expect(answers.slice(0, 50).every((a) => a.status === 200)).toBe(true);
    expect(late[0]?.headers.get('retry-after')).toBe('1');
  });
});

describe('logs', () => {
  it('logs are plain text, from an offset, of a step', async () => {
    const job = await claimed(api);
    expect((await api.call('GET', `/jobs/${job.id}/logs`)).text).toBe('');
    const { ref } = await job.begin(0);
    await write(ref, 0, '<script>alert(1)</script>\n');
    await write(ref, 26, 'two\n');
    const second = await job.begin(1);
    await write(second.ref, 0, 'of step 1\n');
    const answer = await api.call('GET', `/jobs/${job.id}/logs?step=0`);
    expect(answer.text).toBe('<script>alert(1)</script>\ntwo\n');
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('x-log-end')).toBe('30');
    expect((await api.call('GET', `/jobs/${job.id}/logs?step=0&offset=26`)).text).toBe('two\n');
    expect((await api.call('GET', `/jobs/${job.id}/logs`)).text).toBe('of step 1\n');
    expect((await api.call('GET', `/jobs/${job.id}/logs?step=7`)).status).toBe(404);
    expect((await api.call('GET', '/jobs/999999/logs')).status).toBe(404);
  });

  /** Yields events as they come; `until` ends the reading. */
  async function read(
    where: string,
    until: (events: Event[]) => boolean,
    headers: Record<string, string> = {},
  ) {
    const response = await api.raw('GET', where, { headers });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const events: Event[] = [];
    let rest = '';
    for await (const bytes of response.body ?? []) {
      const frames = (rest + Buffer.from(bytes).toString()).split('\n\n');
      rest = frames.pop() ?? '';
      for (const frame of frames) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(frame)?.[1];
        if (field('data'))
          events.push({ event: field('event'), id: field('id'), data: JSON.parse(field('data') ?? '') });
      }
      if (until(events)) break;
    }
    return events;
  }
  type Event = {
    event: string | undefined;
    id: string | undefined;
    data: { text?: string; status?: string };
  };
  const texts = (events: Event[]) => events.map((e) => e.data.text ?? `${e.event} ${e.data.status}`);

  it('logs are followed over all steps to the end', async () => {
    const job = await claimed(api);
    const { ref } = await job.begin(0);
    await write(ref, 0, 'one\n\ndata: forged\n\n');
    let went = false;
    const events = await read(`/jobs/${job.id}/logs?follow`, (seen) => {
      if (seen.length === 1 && !went) {
        went = true;
        void (async () => {
          await write(ref, 19, 'two\n');
          await job.end(ref);
          const second = await job.begin(1);
          await write(second.ref, 0, 'three\n');
          await job.end(second.ref);
          await job.finish();
        })();
      }
      return false;
    });
    expect(texts(events)).toEqual(['one\n\ndata: forged\n\n', 'two\n', 'three\n', 'end completed']);
    expect(events.map((e) => e.id)).toEqual(['0.1.19', '0.1.23', '1.1.6', undefined]);
  });

  it('a follower resumes after the last event seen', async () => {
    const job = await claimed(api);
    const { ref } = await job.begin(0);
    await write(ref, 0, 'one\n');
    await write(ref, 4, 'two\n');
    await write(ref, 8, 'three\n');
    const one = await read(`/jobs/${job.id}/logs?follow&step=0`, (seen) => seen.length >= 1);
    expect(one[0]?.id).toBe('4');
    await job.end(ref);
    await job.finish();
    const resume = { 'last-event-id': '8' };
    const rest = await read(`/jobs/${job.id}/logs?follow&step=0`, () => false, resume);
    expect(texts(rest)).toEqual(['three\n', 'end completed']);
    const all = await read(`/jobs/${job.id}/logs?follow=true`, () => false, { 'last-event-id': '0.1.4' });
    expect(texts(all)).toEqual(['two\n', 'three\n', 'end completed']);
  });

  it('at most 200 followers may read at once; a stop ends all of them', async () => {
    await using own = await setup();
    const job = await claimed(own);
    const open: Response[] = [];
    // Ten at a time: with all at once, a slow machine's Postgres could be too late for some.
    while (open.length < 200)
      open.push(
        ...(await Promise.all(
          Array.from({ length: 10 }, async (_, n) =>
            own.raw('GET', `/jobs/${job.id}/logs?follow`, { token: await oneOfMany(own, open.length + n) }),
          ),
        )),
      );
    expect(open.every((response) => response.status === 200)).toBe(true);
    const refused = await own.call('GET', `/jobs/${job.id}/logs?follow`);
    expect([refused.status, refused.body.code]).toEqual([503, 'too_many_streams']);
    await open[0]?.body?.cancel();
    await expect
      .poll(async () => {
        const response = await own.raw('GET', `/jobs/${job.id}/logs?follow`);
        await response.body?.cancel();
        return response.status;
      })
      .toBe(200);
    own.stopping.abort();
    for (const response of open.slice(1)) await response.text();
  });
});
