/** External jobs: their executors' words, their log and their end, and that our workers never touch them. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { claimJob, findClaimable } from '../../../../src/db/jobs/claim.ts';
import { listCancelling, listHeld, listUnobserved } from '../../../../src/db/jobs/reconcile.ts';
import { type Api, claimed, setup } from '../../support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup();
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  await sql`TRUNCATE jobs, idempotency_keys, targets, sync_jobs CASCADE`.execute(api.db);
});

const start = async () => (await api.call('POST', '/sync/outside/dev')).body.job_id as number;
const tell = (id: number, json: unknown) => api.call('PUT', `/jobs/${id}`, { json });
const show = async (id: number) => (await api.call('GET', `/jobs/${id}`)).body;
const logOf = async (id: number) => (await api.call('GET', `/jobs/${id}/logs`)).text;
const messages = async (id: number) =>
  (await logOf(id))
    .split('\n')
    .slice(0, -1)
    .map((line) => line.slice(25));
const pause = (paused: boolean) => api.call('POST', '/maintenance-status', { json: { paused, msg: 'm' } });

describe("an executor's update", () => {
  it('a job without an update for an hour is shown as stalled', async () => {
    const id = await start();
    await tell(id, { status: 'validating' });
    const saidAgo = (minutes: number) =>
      sql`UPDATE jobs SET observed_at = now() - make_interval(mins => ${minutes}) WHERE id = ${id}`.execute(
        api.db,
      );
    await saidAgo(59);
    expect((await show(id)).stalled).toBe(false);
    await saidAgo(61);
    expect((await show(id)).stalled).toBe(true);
    expect((await tell(id, { status: 'importing' })).body.stalled).toBe(false);
  });

  it('an update begins the job and sets its phase, its description and its log', async () => {
    const id = await start();
    expect(await show(id)).toMatchObject({ status: 'queued', phase: null, started_at: null });
    const first = await tell(id, { status: 'validating', log: 'Of 3 files' });
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({ id, status: 'running', phase: 'validating', description: null });
    expect(first.body.started_at).toMatch(/Z$/);
    await tell(id, { description: 'Income of 2026' });
    const third = await tell(id, { status: 'importing', description: 'Income', log: 'é'.repeat(3) });
    expect(third.body).toMatchObject({
      status: 'running',
      phase: 'importing',
      description: 'Income',
      stalled: false,
      temporal_url: null,
      started_at: first.body.started_at,
    });
    expect(third.body.version).toBeGreaterThan(first.body.version);
    expect(await messages(id)).toEqual([
      'Set status: validating',
      'Of 3 files',
      'Added update description',
      'Set status: importing',
      'Added update description',
      'ééé',
    ]);
  });

  it.each([
    [{ log: 'x' }, null],
    [{ description: 'x' }, null],
    [{ status: 'queued' }, 'queued'],
  ])('%j alone begins the job', async (word, phase) => {
    const { body } = await tell(await start(), word);
    expect([body.status, body.phase]).toEqual(['running', phase]);
  });

  it('an update completes the job for good, and sets its target’s last success', async () => {
    const id = await start();
    const done = await tell(id, { status: 'completed', log: 'All there.' });
    expect(done.body).toMatchObject({ status: 'completed', phase: 'completed', diagnosis: null });
    expect(done.body.finished_at).toMatch(/Z$/);
    const { body: target } = await api.call('GET', '/targets/outside');
    expect(target.environments[0]).toMatchObject({ last_success_job_id: id, active_job: null });
    for (const word of [{ status: 'completed' }, { status: 'failed' }, { log: 'late' }]) {
      const late = await tell(id, word);
      expect([late.status, late.body.code]).toEqual([409, 'over']);
    }
    expect(await show(id)).toEqual(done.body);
    expect(await messages(id)).toEqual(['Set status: completed', 'All there.']);
    expect(await start()).toBeGreaterThan(id);
  });

  it('an update fails the job, and becomes its diagnosis', async () => {
    const before = await start();
    await tell(before, { status: 'completed' });
    const id = await start();
    await tell(id, { description: 'Income of 2026' });
    const { body } = await tell(id, { status: 'failed', description: 'No such dataset', log: 'at line 3' });
    expect(body).toMatchObject({ status: 'failed', phase: 'failed' });
    expect(body.diagnosis).toMatchObject({ code: 'external', detail: 'No such dataset\nat line 3' });
    const { body: target } = await api.call('GET', '/targets/outside');
    expect(target.environments[0].last_success_job_id).toBe(before);
    const silent = await start();
    expect((await tell(silent, { status: 'failed' })).body.diagnosis.detail).toBe('');
  });

  it.each([
    [{}],
    [{ status: undefined }],
    [{ status: '' }],
    [{ status: 'two words' }],
    [{ status: 'x'.repeat(41) }],
    [{ status: 'deleted' }],
    [{ status: 'cancelling' }],
    [{ status: 7 }],
    [{ log: '' }],
    [{ log: 'x'.repeat(4097) }],
    [{ description: 'x'.repeat(4097) }],
    [{ log: 'x', colour: 'red' }],
  ])('the update %j is refused', async (word) => {
    const id = await start();
    expect((await tell(id, word)).status).toBe(422);
    expect(await show(id)).toMatchObject({ status: 'queued', phase: null });
    expect(await logOf(id)).toBe('');
  });

  it('credentials of an update are not stored', async () => {
    const id = await start();
    const secret = 'postgres://me:s3cret@host/db';
    await tell(id, { status: 'failed', description: secret, log: secret });
    const { rows } = await sql<{ text: string }>`
      SELECT concat(j::text, l::text, a::text) AS text FROM jobs j, job_log l, audit a`.execute(api.db);
    expect(rows.map(({ text }) => text).join('')).toContain('<FILTERED>@host');
    expect(rows.map(({ text }) => text).join('')).not.toContain('s3cret');
  });

  it('an update of a job that pods run, of no job, or without a token is refused', async () => {
    const pod = await claimed(api);
    for (const word of [{ status: 'completed' }, { log: 'x' }, { description: 'x' }]) {
      const answer = await tell(pod.id, word);
      expect([answer.status, answer.body.code]).toEqual([409, 'not_external']);
    }
    expect((await tell(999_999, { log: 'x' })).status).toBe(404);
    const id = await start();
    const nobody = await api.call('PUT', `/jobs/${id}`, { token: null, json: { status: 'completed' } });
    expect([nobody.status, (await show(id)).status]).toEqual([401, 'queued']);
  });

  it('many updates at once are each stored once, and end the job once', async () => {
    const id = await start();
    const words = Array.from({ length: 20 }, (_, n) => ({ log: `line ${n}` }));
    await Promise.all(words.map((word) => tell(id, word)));
    expect((await messages(id)).toSorted()).toEqual(words.map(({ log }) => log).toSorted());
    const ends = await Promise.all(
      ['completed', 'failed', 'completed', 'failed'].map((status) => tell(id, { status })),
    );
    expect(ends.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409, 409]);
  });
});

describe('its log', () => {
  it('the log is read by bytes, each line with its time', async () => {
    const id = await start();
    expect(await logOf(id)).toBe('');
    await tell(id, { log: 'été' });
    await tell(id, { log: 'two' });
    const { text, headers } = await api.call('GET', `/jobs/${id}/logs?step=0&attempt=1`);
    expect(text).toMatch(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (été|two)\n){2}$/);
    expect(headers.get('x-log-end')).toBe(String(Buffer.byteLength(text)));
    const from = Buffer.byteLength(text.split('\n')[0] ?? '') + 1;
    expect((await api.call('GET', `/jobs/${id}/logs?offset=${from}`)).text).toMatch(/Z two\n$/);
    expect((await api.call('GET', `/jobs/${id}/logs?offset=${from + 21}`)).text).toMatch(/^\d\dZ two\n$/);
    expect((await api.call('GET', `/jobs/${id}/logs?step=1`)).status).toBe(404);
  });

  it('the log is followed to the end, and a follower may resume', async () => {
    const id = await start();
    await tell(id, { status: 'validating' });
    const following = (async () => (await api.raw('GET', `/jobs/${id}/logs?follow`)).text())();
    await tell(id, { log: 'half' });
    await tell(id, { status: 'completed' });
    const events = await following;
    expect(events).toMatch(/Set status: validating.*half.*Set status: completed.*"status":"completed"/s);
    expect(events).toContain('id: 0.1.48\n');
    const headers = { 'last-event-id': '0.1.48' };
    const rest = await (await api.raw('GET', `/jobs/${id}/logs?follow`, { headers })).text();
    expect(rest).not.toContain('validating');
    expect(rest).toMatch(/half.*Set status: completed/s);
  });

  it('the log says when it was deleted', async () => {
    const id = await start();
    await tell(id, { status: 'completed' });
    await sql`DELETE FROM job_log WHERE job_id = ${id}`.execute(api.db);
    expect((await api.call('GET', `/jobs/${id}/logs`)).text).toMatch(/^\[Syncrator: this log was deleted/);
    expect((await api.call('GET', `/jobs/${id}/logs?follow`)).text).toMatch(
      /this log was deleted.*event: end/s,
    );
  });

  it('the log keeps its beginning and its end, and says what was dropped', async () => {
    await using small = await setup({ env: { LOG_LIMIT: '64KiB' } });
    const id = (await small.call('POST', '/sync/outside/dev')).body.job_id;
    for (let n = 0; n < 40; n++)
      await small.call('PUT', `/jobs/${id}`, { json: { log: `${n} `.padEnd(4096, 'x') } });
    const { text, headers } = await small.call('GET', `/jobs/${id}/logs`);
    expect(headers.get('x-log-end')).toBe(String(40 * (4096 + 26)));
    const lines = text.split('\n').map((line) => /(\d+) x|Syncrator: \S+ bytes/.exec(line));
    expect(lines.flatMap((found) => found?.[1] ?? found?.[0] ?? [])).toEqual([
      ...Array.from({ length: 8 }, (_, n) => String(n)),
      `Syncrator: ${(25 * (4096 + 26)).toLocaleString('en')} bytes`,
      ...Array.from({ length: 7 }, (_, n) => String(33 + n)),
    ]);
  });
});

describe('GET /jobs', () => {
  it('an active job is found by its phase', async () => {
    const id = await start();
    const found = async (status: string) =>
      (await api.call('GET', `/jobs?status=${status}&target=outside`)).body.map((job: any) => job.id);
    await tell(id, { status: 'built' });
    expect(await found('built')).toEqual([id]);
    expect(await found('importing,built')).toEqual([id]);
    expect(await found('running')).toEqual([id]);
    expect(await found('queued')).toEqual([]);
    // An executor that starts again reports so, and finds the job in its list of new ones.
    await tell(id, { status: 'queued' });
    expect(await found('queued')).toEqual([id]);
    expect(await found('built')).toEqual([]);
    await tell(id, { status: 'built' });
    await api.call('DELETE', `/jobs/${id}`);
    expect(await found('built')).toEqual([]);
    expect(await found('deleted')).toEqual([id]);
  });
});

describe('DELETE /jobs/:id', () => {
  it('a cancel ends the job at once, whatever its executor does', async () => {
    for (const words of [[], [{ status: 'importing' }]]) {
      const id = await start();
      for (const word of words) await tell(id, word);
      const deleted = await api.call('DELETE', `/jobs/${id}`);
      expect([deleted.status, deleted.body.status]).toEqual([200, 'deleted']);
      const late = await tell(id, { status: 'completed' });
      expect([late.status, late.body.code]).toEqual([409, 'over']);
      expect((await api.call('DELETE', `/jobs/${id}`)).body).toEqual(deleted.body);
      expect((await api.call('GET', '/targets/outside')).body.environments[0].last_success_job_id).toBeNull();
    }
  });
});

describe('our workers', () => {
  it('no worker pokes, claims or reconciles the job', async () => {
    const id = await start();
    const key = { env: 'dev', target: 'outside' };
    const untouched = async () => {
      await sql`UPDATE jobs SET created_at = now() - interval '1 hour', observed_at = now() - interval '1 hour'
        WHERE id = ${id}`.execute(api.db);
      expect(await findClaimable(api.db, key)).toBeUndefined();
      const lists = [await listHeld(api.db), await listUnobserved(api.db), await listCancelling(api.db)];
      expect(lists).toEqual([[], [], []]);
    };
    await untouched();
    await tell(id, { status: 'validating' });
    await untouched();
    const handle = api.deps.temporal.client.workflow.getHandle('syncrator/dev/outside');
    await expect(handle.describe()).rejects.toThrow(/not found/i);
    const row = await api.db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    const run = { runId: randomUUID(), runStartedAt: new Date() };
    expect(await claimJob(api.db, row, run, false)).toBeUndefined();
  });

  it('maintenance does not hold the job back, because its executor checks the flag; a pause waits for the job', async () => {
    const before = await start();
    await pause(true);
    try {
      expect((await show(before)).status).toBe('queued');
      await tell(before, { status: 'completed' });
      const id = await start();
      expect((await show(id)).status).toBe('queued');
      expect((await tell(id, { status: 'validating' })).body.status).toBe('running');
      expect((await api.call('GET', '/maintenance-status')).body).toMatchObject({
        engine: 'PAUSING',
        running_jobs: 1,
      });
      await tell(id, { status: 'completed' });
      expect((await api.call('GET', '/maintenance-status')).body).toMatchObject({
        engine: 'PAUSED',
        running_jobs: 0,
      });
    } finally {
      await pause(false);
    }
  });
});
