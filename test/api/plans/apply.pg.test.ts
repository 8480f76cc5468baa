/** Starting a plan, applying it, and what makes it impossible: rights, another digest, later jobs, time. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { tidyPlans } from '../../../src/db/plans/tidy.ts';
import { grantOf } from '../../../src/domain/permission.ts';
import { person } from '../losses/support.ts';
import { type Api, claim, claimed, setup } from '../support.ts';
import {
  apply,
  completed,
  DIGEST,
  forgetAll,
  plan,
  planned,
  recordsOf,
  show,
  SOME,
  upload,
} from './support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup({
    files: {
      'dev/own-sync': ['TARGET=own', 'ACTION=full', 'COMMAND=/bin/true'],
      'dev/script-sync': ['TARGET=script', 'ACTION=sync', 'COMMAND=/bin/true'],
      'dev/known-sync': ['TARGET=known', 'ACTION=sync', 'COMMAND=/bin/true', 'EXIT_CODES=syncrator'],
    },
    options: { 'dev/beta-sync': '-n 10 --force-delete' },
  });
});
afterAll(() => api[Symbol.asyncDispose]());
afterEach(() => forgetAll(api));

const days = async (id: number, count: number) =>
  await sql`UPDATE plans SET born_at = now() - make_interval(days => ${count}) WHERE job_id = ${id}`.execute(
    api.db,
  );
const codeOf = ({ status, body }: { status: number; body: any }) => [status, body.code];

it.each(['sync', 'delta', 'delete'])(
  'a plan of a %s starts a job that says what it plans',
  async (action) => {
    const { status, body, headers } = await api.call('POST', `/plan/${action}/alpha/dev`);
    expect([status, headers.get('location')]).toEqual([202, `/jobs/${body.job_id}`]);
    expect(body).toMatchObject({
      ACTION: 'plan',
      ACTION_NAME: `plan-${action}`,
      ENV: 'dev',
      TARGET: 'alpha',
    });
    const { steps_spec: steps } = await api.db
      .selectFrom('jobs')
      .select('steps_spec')
      .executeTakeFirstOrThrow();
    expect(steps.map(({ args }) => args)).toEqual([['plan', '-n', '1000', '-c', '1', '--of', action]]);
    const again = await api.call('POST', `/plan/${action}/alpha/dev`);
    expect([again.status, again.body.job_id, again.body.deduplicated]).toEqual([200, body.job_id, true]);
  },
);

it('a plan keeps the --force-delete of its params file, since its guards are those of the action', async () => {
  const { body } = await api.call('POST', '/plan/sync/beta/dev');
  expect(body.OPTIONS).toContain('-n 10 --force-delete --of sync');
});

it('what cannot be planned is refused by name', async () => {
  for (const [path, why] of [
    ['diff/alpha/dev', 'plan its delta or its delete'],
    ['sync/outside/dev', 'an external executor runs it'],
    ['sync/own/dev', 'ACTION is full'],
    ['sync/script/dev', 'EXIT_CODES=syncrator says that it keeps our contract'],
  ] as const) {
    const { status, body } = await api.call('POST', `/plan/${path}`);
    expect([status, body.errors]).toEqual([
      422,
      [{ field: 'action', message: expect.stringContaining(why) }],
    ]);
  }
  expect((await api.call('POST', '/plan/sync/known/dev')).status).toBe(202);
  expect(codeOf(await api.call('POST', '/plan/sync/nosync/dev'))).toEqual([404, 'unknown_action']);
  expect(codeOf(await api.call('POST', '/plan/sync/unknown/dev'))).toEqual([404, 'unknown_target']);
});

it('no plan and no application can be asked for by parameters', async () => {
  for (const action of ['plan', 'apply']) {
    const json = {
      target: 'alpha',
      env: 'dev',
      action_name: `${action}-sync`,
      action,
      is_tag: 'latest',
      options: '',
    };
    for (const path of ['/run', '/dryrun'])
      expect(codeOf(await api.call('POST', path, { json }))).toEqual([400, 'needs_plan']);
  }
});

it('applying starts a job with the plan and the whole digest; the plan is applied once that job has completed', async () => {
  const id = await plan(api);
  const { uid } = await api.db
    .selectFrom('jobs')
    .select('uid')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  const { status, body, headers } = await apply(api, id, DIGEST.slice(0, 16));
  expect([status, headers.get('location')]).toEqual([202, `/jobs/${body.job_id}`]);
  expect(body).toMatchObject({ ACTION: 'apply', ACTION_NAME: 'apply-sync' });
  const asked = await apply(api, id);
  expect([asked.status, asked.body.job_id]).toEqual([200, body.job_id]);
  const job = await api.db
    .selectFrom('jobs')
    .selectAll()
    .where('id', '=', body.job_id)
    .executeTakeFirstOrThrow();
  expect(job.steps_spec.map(({ args }) => args)).toEqual([
    ['apply', '-n', '1000', '-c', '1', '--plan', uid, '--digest', DIGEST],
  ]);
  expect((await show(api, id)).state).toBe('ready');
  const ran = await claim(api, { id: body.job_id, env: 'dev', target: 'alpha' });
  await ran.end((await ran.begin()).ref);
  await ran.finish();
  expect(await show(api, id)).toMatchObject({ state: 'applied', applied_by: body.job_id, replaced_by: null });
  const again = await apply(api, id);
  expect([...codeOf(again), again.body.job_id]).toEqual([409, 'plan_applied', body.job_id]);
  // What comes later changes nothing of that.
  await completed(api);
  expect((await show(api, id)).state).toBe('applied');
  const { body: lines } = await api.call('GET', '/audit?verb=start');
  expect(lines).toContainEqual(
    expect.objectContaining({
      object: `job ${body.job_id}`,
      detail: expect.objectContaining({ action: 'apply', options: expect.stringContaining(`--plan ${uid}`) }),
    }),
  );
});

it('a plan is no success of its target, moves no watermark and no freshness; its application does', async () => {
  const tell = async (where: string, id?: number) => {
    const job =
      id === undefined ? await claimed(api, where) : await claim(api, { id, env: 'dev', target: 'alpha' });
    const attempt = await job.begin();
    const report = { seq: 1, phase: 'done', watermark: '2026-11-22T01:00:00.000Z', listing: 'complete' };
    await api.call('PUT', `/jobs/${job.id}/report`, { token: attempt.token, json: report });
    if (id === undefined) await upload(api, attempt, pageOf(SOME));
    await job.end(attempt.ref);
    await job.finish();
    return job.id;
  };
  const of = async () => await api.db.selectFrom('targets').selectAll().execute();
  const id = await tell('/plan/sync/alpha/dev');
  expect(await of()).toEqual([]);
  const { body } = await apply(api, id);
  await tell('', body.job_id);
  expect(await of()).toMatchObject([
    {
      last_success_job_id: body.job_id,
      watermark: new Date('2026-11-22T01:00:00.000Z'),
      listing: 'complete',
    },
  ]);
});

function pageOf(records: typeof SOME) {
  const [added, updated, removed] = [1, 2, 1];
  const counts = { live: 100, listed: 99, added, updated, removed, held: 0, kept: 0 };
  return {
    page: 0,
    last: true,
    records,
    summary: { of: 'sync', digest: DIGEST, ...counts, watermark: null },
  };
}

it('repeating an application with its Idempotency-Key repeats the answer, also once the plan is applied', async () => {
  const id = await plan(api);
  const asked = { headers: { 'idempotency-key': 'morning' } };
  const first = await apply(api, id, DIGEST, asked);
  expect(first.status).toBe(202);
  const job = await claim(api, { id: first.body.job_id, env: 'dev', target: 'alpha' });
  await job.end((await job.begin()).ref);
  await job.finish();
  const again = await apply(api, id, DIGEST, asked);
  expect([again.status, again.body.job_id]).toEqual([first.status, first.body.job_id]);
  expect(codeOf(await apply(api, id, DIGEST, { headers: { 'idempotency-key': 'other' } }))).toEqual([
    409,
    'plan_applied',
  ]);
  expect((await apply(api, id, DIGEST.slice(0, 16), asked)).status).toBe(422);
});

it('another digest is refused with that of the plan; a malformed one is a fault of the body', async () => {
  const id = await plan(api);
  const other = await apply(api, id, '0'.repeat(16));
  expect([...codeOf(other), other.body.digest]).toEqual([409, 'plan_changed', DIGEST]);
  for (const digest of ['3f0c9a71b2d84e6', DIGEST.toUpperCase(), `${DIGEST}0`, ''])
    expect(codeOf(await apply(api, id, digest))).toEqual([422, 'invalid_body']);
  expect(codeOf(await apply(api, 999))).toEqual([404, 'unknown_plan']);
});

it.each(['/sync/alpha/dev', '/delta/alpha/dev', '/plan/delete/alpha/dev', '/rollback/alpha/dev'])(
  'a later job of the same target makes a plan stale once it has completed: %s',
  async (where) => {
    const id = await plan(api);
    const job = await claimed(api, where);
    expect((await show(api, id)).state).toBe('ready');
    expect(codeOf(await apply(api, id))).toEqual([409, 'busy']);
    await job.end((await job.begin()).ref);
    await job.finish();
    expect(await show(api, id)).toMatchObject({ state: 'stale', replaced_by: job.id, applied_by: null });
    const { status, body } = await apply(api, id);
    expect([status, body.code, body.job_id]).toEqual([409, 'plan_stale', job.id]);
  },
);

it('a preview, a story, a job that changed nothing and one of another target leave a plan ready; a failed job of two steps does not', async () => {
  const id = await plan(api);
  await completed(api, '/rollback/alpha/dev', { json: { preview: true } });
  await completed(api, '/story/alpha/dev', { json: { id: 'a' } });
  await completed(api, '/sync/beta/dev');
  const failed = await claimed(api);
  await failed.finish({ kind: 'cancelled' });
  expect((await show(api, id)).state).toBe('ready');
  const diff = await claimed(api, '/diff/alpha/dev');
  await diff.end((await diff.begin()).ref);
  await diff.finish({ kind: 'cancelled' });
  expect(await show(api, id)).toMatchObject({ state: 'stale', replaced_by: diff.id });
});

it('applying one plan makes an older one stale, not applied', async () => {
  const older = await plan(api);
  const newer = await plan(api);
  const { body } = await apply(api, newer);
  const job = await claim(api, { id: body.job_id, env: 'dev', target: 'alpha' });
  await job.end((await job.begin()).ref);
  await job.finish();
  expect(await show(api, older)).toMatchObject({ state: 'stale', replaced_by: newer });
  expect(await show(api, newer)).toMatchObject({ state: 'applied', applied_by: body.job_id });
});

it('after seven days a plan has expired: it cannot be applied, and its records are gone', async () => {
  const id = await plan(api);
  await days(id, 6);
  expect([(await show(api, id)).state, await recordsOf(api, id)]).toEqual([
    'ready',
    expect.arrayContaining(['added b']),
  ]);
  await days(id, 7);
  expect(codeOf(await apply(api, id))).toEqual([409, 'plan_expired']);
  expect([(await show(api, id)).state, await recordsOf(api, id)]).toEqual(['expired', []]);
  while ((await tidyPlans(api.db)) > 0);
  const left = await sql<{ n: number }>`SELECT count(*)::int AS n FROM plan_records`.execute(api.db);
  expect(left.rows[0]?.n).toBe(0);
  expect((await show(api, id)).added).toBe(1);
});

it('tidying leaves the records of plans that are shown, and an upload that goes on; a plan goes with its job', async () => {
  const id = await plan(api);
  const going = await (await claimed(api, '/plan/sync/beta/dev')).begin();
  await upload(api, going, { page: 0, last: false, records: [planned('added', 'x')] });
  const count = async (table: string) => {
    const { rows } = await sql<{ n: number }>`SELECT count(*)::int AS n FROM ${sql.table(table)}`.execute(
      api.db,
    );
    return rows[0]?.n;
  };
  while ((await tidyPlans(api.db)) > 0);
  expect([await count('plan_records'), await count('plan_uploads')]).toEqual([5, 2]);
  await sql`DELETE FROM steps WHERE job_id = ${id}`.execute(api.db);
  await sql`DELETE FROM jobs WHERE id = ${id}`.execute(api.db);
  while ((await tidyPlans(api.db)) > 0);
  expect([await count('plans'), await count('plan_records'), await count('plan_uploads')]).toEqual([0, 1, 1]);
  await sql`UPDATE plan_uploads SET at = now() - interval '25 hours'`.execute(api.db);
  while ((await tidyPlans(api.db)) > 0);
  expect([await count('plan_records'), await count('plan_uploads')]).toEqual([0, 0]);
});

it('only the ten newest plans of a target show records', async () => {
  const ids: number[] = [];
  for (let nth = 0; nth < 11; nth++) ids.push(await plan(api));
  const [oldest = 0, second = 0] = ids;
  expect([await recordsOf(api, oldest), (await recordsOf(api, second)).length]).toEqual([[], 4]);
  expect((await show(api, oldest)).added).toBe(1);
});

it('plans are listed newest first, by target, env and state, in pages', async () => {
  const [first, second] = [await plan(api), await plan(api)];
  const other = await plan(api, { where: '/plan/sync/alpha/qas' });
  const list = async (query: string) => {
    const { body } = await api.call('GET', `/plans?${query}`);
    return body.map(({ id }: any) => id);
  };
  expect(await list('')).toEqual([other, second, first]);
  expect(await list('env=dev&target=alpha')).toEqual([second, first]);
  expect(await list('state=ready')).toEqual([other, second]);
  expect(await list('state=stale')).toEqual([first]);
  expect(await list('limit=1&page=2')).toEqual([second]);
  expect((await api.call('GET', '/plans?state=gone')).status).toBe(400);
});

it('a role limited to an action may plan it and apply its plan, and no other', async () => {
  const { token } = await person(api, grantOf('operator', ['dev'], ['sync']));
  const viewer = (await person(api, grantOf('viewer', [], []))).token;
  const id = await plan(api, { asked: { token } });
  const { body } = await apply(api, id, DIGEST, { token });
  expect((await api.call('DELETE', `/jobs/${body.job_id}`, { token })).status).toBe(200);
  for (const [path, bearer] of [
    ['/plan/delete/alpha/dev', token],
    ['/plan/sync/alpha/qas', token],
    ['/plan/sync/alpha/dev', viewer],
  ] as const)
    expect((await api.call('POST', path, { token: bearer })).status).toBe(403);
  await forgetAll(api);
  const deletes = await plan(api, { where: '/plan/delete/alpha/dev', summary: { of: 'delete' } });
  expect((await apply(api, deletes, DIGEST, { token })).status).toBe(403);
  expect((await apply(api, deletes, DIGEST, { token: viewer })).status).toBe(403);
  expect((await apply(api, deletes)).status).toBe(202);
});

it('a failed plan and a failed application are not resumed; the refusal says what to do instead', async () => {
  const job = await claimed(api, '/plan/sync/alpha/dev');
  const diagnosis = { code: 'delete_guard', summary: '', detail: '', what_to_do: '' };
  await job.finish({ kind: 'failed', diagnosis });
  const { status, body } = await api.call('POST', `/jobs/${job.id}/resume`);
  expect([status, body.code, body.detail]).toEqual([
    409,
    'not_resumable',
    expect.stringContaining('make a new plan'),
  ]);
});

it('forgetting a record erases its contents from stored plans, and from no other record', async () => {
  const id = await plan(api);
  await api.call('POST', '/forget/alpha/dev', { json: { ids: ['a', 'b'] } });
  const { body } = await api.call('GET', `/plans/${id}/records`);
  expect(
    body.map(({ kind, id: one, before, after }: any) => [kind, one, before !== null, after !== null]),
  ).toEqual([
    ['added', 'b', false, false],
    ['updated', 'a', false, false],
    ['updated', 'c', true, true],
    ['removed', 'a2', true, false],
  ]);
});
