/** The account's routes: each envelope with its status, and the job that a call waits for. The test plays the steps. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createApp } from '../../../../src/api/app.ts';
import { claimJob, findClaimable } from '../../../../src/db/jobs/claim.ts';
import { finishJob } from '../../../../src/db/jobs/finish.ts';
import { beginStep, endStep } from '../../../../src/db/jobs/steps.ts';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import type { StepOutcome } from '../../../../src/domain/outcome.ts';
import { withFault } from '../../../../src/domain/source-fault.ts';
import { makeReportToken } from '../../../../src/auth/report-token.ts';
import { explainExit } from '../../../../src/runner/exit-diagnosis.ts';
import { type Answered, type Api, SECRET, setup } from '../../support.ts';

const KEY = { env: 'dev', target: 'souk' };
const files = Object.fromEntries(
  ['sync', 'delta', 'delete', 'diff'].map((action) => [
    `dev/account-${action}`,
    ['TARGET=souk', `ACTION=${action}`],
  ]),
);
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

let api: Api;
beforeAll(async () => {
  api = await setup({ env: { ACCOUNT: 'account/dev' }, files, accountWaitMs: 20_000 });
});
afterAll(() => api[Symbol.asyncDispose]());
/** Number of calls that have begun to wait for a job. */
let waits = 0;
beforeAll(() => {
  const { changes } = api.deps;
  const { subscribe } = changes;
  changes.subscribe = (listener) => {
    waits += 1;
    return subscribe(listener);
  };
});
beforeEach(async () => {
  waits = 0;
  await sql`TRUNCATE jobs, idempotency_keys, targets, sync_jobs, wanted CASCADE`.execute(api.db);
});

const syncall = (of: Api = api, asked = {}) => of.call('PATCH', '/api/syncall', asked);
const synlast = async (query = '') => (await api.call('GET', `/api/synlast${query}`)).body.data;
const jobs = async () => await api.db.selectFrom('jobs').selectAll().orderBy('id').execute();
const wanted = async () => await api.db.selectFrom('wanted').selectAll().execute();
const waiting = (many: number) => expect.poll(() => waits).toBe(many);

/** Claims the account's queued job as a worker would, once there is one. */
async function take(of: Api = api) {
  await expect.poll(() => findClaimable(of.db, KEY), { timeout: 15_000 }).toBeDefined();
  const seen = await findClaimable(of.db, KEY);
  if (!seen) throw new Error('nothing to claim');
  const runId = randomUUID();
  await claimJob(of.db, seen, { runId, runStartedAt: new Date() }, false);
  const step = async (at: number, action: string, report: object | null, outcome: StepOutcome) => {
    const ref = { jobId: seen.id, step: at, attempt: 1 };
    await beginStep(of.db, { ...ref, runId, action, name: `test-${seen.id}-${at}` });
    const token = makeReportToken([SECRET], { uid: seen.uid, step: at, attempt: 1 });
    const json = { seq: 1, phase: 'done', ...report };
    if (report) await of.call('PUT', `/jobs/${seen.id}/report`, { token, json });
    const diagnosis = outcome.kind === 'failed' ? outcome.diagnosis : null;
    await endStep(of.db, ref, { kind: outcome.kind, diagnosis });
  };
  const finish = (outcome: StepOutcome) => finishJob(of.db, { jobId: seen.id, runId, outcome });
  return {
    id: seen.id,
    step,
    finish,
    async complete(done = 6) {
      await step(0, 'sync', { records_done: done }, { kind: 'completed' });
      await finish({ kind: 'completed' });
    },
    async end(code: number, message: string) {
      const outcome = explainExit(code, { phase: 'failed', message });
      await step(0, 'sync', { phase: 'failed', message }, outcome);
      await finish(outcome);
    },
  };
}

describe('PATCH /api/syncall', () => {
  it('the answer counts what the job upserted, and tells when it began', async () => {
    const answering = syncall();
    const job = await take();
    await job.complete();
    const { status, body, headers } = await answering;
    expect([status, body]).toEqual([
      200,
      { data: '6 upserted', date: expect.stringMatching(ISO), response: 'ok' },
    ]);
    expect(headers.get('location')).toBe(`/jobs/${job.id}`);
    const [row] = await jobs();
    expect(row).toMatchObject({ ...KEY, trigger: 'api', requested_by: 'admin', action: 'sync' });
    expect(Math.trunc(Date.parse(body.date))).toBe(row?.started_at?.getTime());
  });

  it.each([
    [EXIT.sourceTimeout, 'timeout', 504],
    [EXIT.sourceUnreachable, 'nxdomain', 502],
    [EXIT.sourceUnreachable, 'econnrefused', 502],
    [EXIT.sourceUnauthorized, 'unauthorized', 502],
    [EXIT.failed, 'http_error', 502],
    [EXIT.failed, 'bad_answer', 502],
  ] as const)(
    'a program that ends with %i for %s gives an answer with status %i',
    async (code, fault, status) => {
      const answering = syncall();
      await (await take()).end(code, withFault('GET https://example.org/ no', fault));
      const answer = await answering;
      expect([answer.status, answer.body]).toEqual([
        status,
        {
          data: { __exception__: true, id: null, reason: fault },
          date: expect.stringMatching(ISO),
          response: 'error',
        },
      ]);
    },
  );

  it.each([
    [EXIT.sourceTimeout, 'exit code 9', 'timeout', 504],
    [EXIT.sourceUnreachable, 'exit code 8', 'unreachable', 502],
    [EXIT.notConfigured, 'API_TOKEN is missing', 'not_configured', 500],
    [EXIT.failed, 'sink: cannot connect', 'exit_code', 500],
    [EXIT.fenced, 'a newer job', 'fenced', 500],
  ])(
    'exit code %i with the words %j has the reason %s, and gives status %i',
    async (code, words, reason, status) => {
      const answering = syncall();
      await (await take()).end(code, words);
      const answer = await answering;
      expect([answer.status, answer.body.data.reason]).toEqual([status, reason]);
    },
  );

  it('a wait for a job that is cancelled meanwhile is answered with 409', async () => {
    const answering = syncall();
    await waiting(1);
    const [row] = await jobs();
    await api.call('DELETE', `/jobs/${row?.id}`);
    const { status, body } = await answering;
    expect([status, body.data.reason, body.response]).toEqual([409, 'cancelled', 'error']);
  });

  it('a call waits for a job that has begun, and then for its own', async () => {
    await api.call('POST', '/sync/account/dev');
    const before = await take();
    const answering = syncall();
    await waiting(1);
    await before.complete(4);
    const own = await take();
    expect(own.id).toBeGreaterThan(before.id);
    await own.complete(7);
    expect((await answering).body.data).toBe('7 upserted');
  });

  it('a call also waits for a job of another action', async () => {
    await api.call('POST', '/delete/account/dev');
    const before = await take();
    const answering = syncall();
    await waiting(1);
    await before.complete();
    await (await take()).complete(3);
    expect((await answering).body.data).toBe('3 upserted');
  });

  it('many calls at once are each answered by a job that began after the call', async () => {
    await api.call('POST', '/sync/account/dev');
    const before = await take();
    const answering = Array.from({ length: 10 }, () => syncall());
    await waiting(10);
    await before.end(EXIT.failed, 'read too early');
    await waiting(20);
    await (await take()).complete(5);
    const answers = await Promise.all(answering);
    expect(answers.map(({ status, body }) => [status, body.data])).toEqual(
      answers.map(() => [200, '5 upserted']),
    );
    expect(await jobs()).toHaveLength(2);
  });

  it('a call joins a job that has not begun', async () => {
    const started = await api.call('POST', '/sync/account/dev');
    const answering = syncall();
    await waiting(1);
    const own = await take();
    expect(own.id).toBe(started.body.job_id);
    await own.complete();
    expect((await answering).status).toBe(200);
  });

  it('a held job is answered with 202, long before the wait is over', {
    timeout: 10_000,
  }, async () => {
    const pause = (paused: boolean) =>
      api.call('POST', '/maintenance-status', { json: { paused, msg: 'm' } });
    await pause(true);
    try {
      const { status, body, headers } = await syncall();
      const [row] = await jobs();
      expect([status, body]).toEqual([
        202,
        {
          data: `job ${row?.id} waits for the end of maintenance`,
          date: expect.stringMatching(ISO),
          response: 'pending',
        },
      ]);
      expect(headers.get('location')).toBe(`/jobs/${row?.id}`);
    } finally {
      await pause(false);
    }
  });

  it('a call stops waiting when its client disconnects; the job continues', async () => {
    const gone = new AbortController();
    const answering = syncall(api, { signal: gone.signal });
    const job = await take();
    await waiting(1);
    gone.abort();
    expect((await answering).status).toBe(202);
    await job.complete();
    expect(await synlast()).toMatchObject([{ data: '6 upserted' }]);
  });

  it('the route needs a token, and takes no fields', async () => {
    expect((await syncall(api, { token: null })).status).toBe(401);
    expect((await syncall(api, { json: { wait: 3 } })).status).toBe(422);
    expect(await jobs()).toEqual([]);
  });
});

describe('after its wait', () => {
  let brief: Api;
  beforeAll(async () => {
    brief = await setup({ env: { ACCOUNT: 'account/dev' }, files, accountWaitMs: 300 });
  });
  afterAll(() => brief[Symbol.asyncDispose]());
  beforeEach(async () => {
    await sql`TRUNCATE jobs, wanted CASCADE`.execute(brief.db);
  });

  const pending = (answer: Answered) => [answer.status, answer.body.response, answer.body.data];

  it('a call answers 202 with its job', async () => {
    const answer = await syncall(brief);
    const [row] = await brief.db.selectFrom('jobs').selectAll().execute();
    expect(pending(answer)).toEqual([202, 'pending', `job ${row?.id} is queued`]);
    expect(answer.headers.get('location')).toBe(`/jobs/${row?.id}`);
  });

  it('a call that waited in vain for another job learns that its own will follow', async () => {
    await brief.call('POST', '/delete/account/dev');
    const holder = await take(brief);
    const answer = await syncall(brief);
    expect(pending(answer)).toEqual([
      202,
      'pending',
      `a sync will follow job ${holder.id}, which is starting`,
    ]);
    const rows = await brief.db.selectFrom('wanted').selectAll().execute();
    expect(rows).toMatchObject([{ ...KEY, action: 'sync', requested_by: 'admin', everything: true }]);
  });
});

describe('PATCH /api/syncast', () => {
  it('the route answers at once, and requests a debounced start', async () => {
    const { status, body } = await api.call('PATCH', '/api/syncast');
    expect([status, body]).toEqual([
      200,
      { data: 'Soukosync.Caller.cast_sync casted', date: expect.stringMatching(ISO), response: 'ok' },
    ]);
    expect(await wanted()).toMatchObject([{ ...KEY, action: 'sync', everything: true }]);
    expect(await jobs()).toEqual([]);
    expect((await api.call('PATCH', '/api/syncast', { token: null })).status).toBe(401);
  });
});

describe('GET /api/synlast', () => {
  it('the history has every ended job, oldest first, and no active ones or other targets', async () => {
    expect(await synlast()).toEqual([]);
    const run = async (where: string) => {
      await api.call('POST', where);
      return await take();
    };
    await (await run('/sync/account/dev')).complete();
    await (await run('/delta/account/dev')).end(
      EXIT.sourceTimeout,
      withFault('GET https://example.org/ late', 'timeout'),
    );
    const diff = await run('/diff/account/dev');
    await diff.step(0, 'delta', { records_done: 6 }, { kind: 'completed' });
    await diff.step(1, 'delete', { records_done: 2, deleted: 2 }, { kind: 'completed' });
    await diff.finish({ kind: 'completed' });
    const gone = await api.call('POST', '/sync/account/dev');
    await api.call('DELETE', `/jobs/${gone.body.job_id}`);
    await api.call('POST', '/sync/alpha/dev');
    await api.call('POST', '/sync/account/dev');
    const entries = await synlast();
    expect(entries.map((entry: any) => [entry.response, entry.data.reason ?? entry.data])).toEqual([
      ['ok', '6 upserted'],
      ['error', 'timeout'],
      ['ok', '6 upserted, 2 deleted'],
      ['error', 'cancelled'],
    ]);
    expect(entries.map((entry: any) => entry.date)).toEqual(
      entries.map((entry: any) => entry.date).toSorted(),
    );
    expect(await synlast('?count=1')).toEqual(entries.slice(-1));
    expect(await synlast('?count=3')).toEqual(entries.slice(-3));
    expect(await synlast('?count=100')).toEqual(entries);
    // Another process of the same installation, started later.
    const again = createApp(api.deps);
    const headers = { authorization: `Bearer ${api.token}` };
    expect(await (await again.request('/api/synlast', { headers })).json()).toEqual({ data: entries });
  });

  it('the history has at most a hundred entries', async () => {
    await sql`
      INSERT INTO jobs (uid, env, target, action_name, action, is_tag, options, runner, steps_spec, spec_hash,
        "trigger", requested_by, status, finished_at)
      SELECT gen_random_uuid(), 'dev', 'souk', 'sync', 'sync', 'latest', '', 'process', '[]', '', 'api', 'test',
        'completed', now() FROM generate_series(1, 120)`.execute(api.db);
    expect(await synlast()).toHaveLength(100);
  });

  it.each(['0', '101', '-1', 'two', '1.5', ''])('count=%s is refused, naming the field', async (bad) => {
    const { status, body } = await api.call('GET', `/api/synlast?count=${bad}`);
    expect([status, body.errors?.[0]?.field]).toEqual([400, 'count']);
  });

  it('the history needs a token, as other reads do', async () => {
    expect((await api.call('GET', '/api/synlast', { token: null })).status).toBe(401);
  });
});

describe('without ACCOUNT', () => {
  it('there is no history, and the answer names the missing setting', async () => {
    await using without = await setup();
    expect((await without.call('GET', '/api/synlast')).body).toEqual({ data: [] });
    for (const route of ['/api/syncall', '/api/syncast']) {
      const { status, body, headers } = await without.call('PATCH', route);
      expect([status, body.code]).toEqual([503, 'no_account']);
      expect(body.detail).toContain('ACCOUNT');
      expect(headers.get('retry-after')).toBe('60');
    }
  });
});
