/** Plans, their applications and stories among conflicting starts: PROMOTE_FROM, SOURCE_LIMIT, QUEUE=one, and other plans. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { grantOf } from '../../../src/domain/permission.ts';
import { person } from '../losses/support.ts';
import { type Api, claim, claimed, setup } from '../support.ts';
import { apply, completed, forgetAll, plan, show, SOME, summaryOf, upload } from './support.ts';

let api: Api;
beforeAll(async () => {
  const guarded = ['TARGET=guarded', 'ACTION=sync'];
  api = await setup({
    files: {
      'qas/guarded-sync': guarded,
      'prd/guarded-sync': [...guarded, 'PROMOTE_FROM=qas', 'SOURCE_NAME=mam', 'QUEUE=one'],
    },
  });
});
afterAll(() => api[Symbol.asyncDispose]());
afterEach(async () => {
  await forgetAll(api);
  await sql`TRUNCATE proven_listings, next_starts, losses, loss_uploads CASCADE`.execute(api.db);
});

const codeOf = ({ status, body }: { status: number; body: any }) => [status, body.code];
const PLAN = '/plan/sync/guarded/prd';

async function source(id: number): Promise<string | null> {
  const row = await api.db
    .selectFrom('jobs')
    .select('source_name')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return row.source_name;
}

/** Plays an application: what it reports, and its end. */
async function applied(plan: number, at: { env: string; target: string }, report: object = {}) {
  const { status, body, text } = await apply(api, plan);
  if (status !== 202) throw new Error(text);
  const job = await claim(api, { id: body.job_id, ...at });
  const { ref, token } = await job.begin();
  const told = await api.call('PUT', `/jobs/${job.id}/report`, {
    token,
    json: { seq: 1, phase: 'done', ...report },
  });
  if (told.status !== 200) throw new Error(told.text);
  await job.end(ref);
  await job.finish();
  return job.id;
}

it('PROMOTE_FROM guards a plan and its application as it guards the planned action', async () => {
  expect(codeOf(await api.call('POST', PLAN))).toEqual([409, 'not_promoted']);
  await completed(api, '/sync/guarded/qas');
  const id = await plan(api, { where: PLAN });
  const before = await apply(api, id);
  expect(before.status, before.text).toBe(202);
  await api.call('DELETE', `/jobs/${before.body.job_id}`);
  await sql`UPDATE jobs SET finished_at = now() - interval '8 days' WHERE env = 'qas'`.execute(api.db);
  const refused = await apply(api, id);
  expect(codeOf(refused)).toEqual([409, 'not_promoted']);
  expect(refused.body.detail).toContain("run sync of 'guarded' in env 'qas' first");
});

it('an admin plans and applies unpromoted; an operator may not', async () => {
  const { token } = await person(api, grantOf('operator', [], []));
  for (const query of ['', '?unpromoted=true'])
    expect((await api.call('POST', `${PLAN}${query}`, { token })).status).toBe(query === '' ? 409 : 403);
  const id = await plan(api, { where: `${PLAN}?unpromoted=true` });
  const json = { digest: summaryOf(SOME).digest };
  const where = `/plans/${id}/apply?unpromoted=true`;
  expect((await api.call('POST', where, { json, token })).status).toBe(403);
  const { status, body, text } = await api.call('POST', where, { json });
  expect(status, text).toBe(202);
  const { rows } = await sql<{ detail: object }>`SELECT detail FROM audit WHERE verb = 'start'
    AND object = ${`job ${body.job_id}`}`.execute(api.db);
  expect(rows).toMatchObject([{ detail: { note: 'not promoted' } }]);
});

it('a plan that was applied elsewhere promotes the action; a plan alone does not', async () => {
  const id = await plan(api, { where: '/plan/sync/guarded/qas' });
  expect(codeOf(await api.call('POST', '/sync/guarded/prd'))).toEqual([409, 'not_promoted']);
  await applied(id, { env: 'qas', target: 'guarded' });
  expect((await api.call('POST', '/sync/guarded/prd')).status).toBe(202);
});

it('a plan takes a place of its source; its application and a story read no source and take none', async () => {
  await completed(api, '/sync/guarded/qas');
  const id = await plan(api, { where: PLAN });
  expect(await source(id)).toBe('mam');
  expect(await source(await applied(id, { env: 'prd', target: 'guarded' }))).toBeNull();
  const { body } = await api.call('POST', '/story/guarded/prd', { json: { id: 'a' } });
  expect(await source(body.job_id)).toBeNull();
});

it('a start queues behind a plan, an application and a story, none of which is queued or replaces a start', async () => {
  await completed(api, '/sync/guarded/qas');
  const queued = async () => (await api.call('POST', '/sync/guarded/prd')).body.result;
  const planning = await claimed(api, PLAN);
  expect(await queued()).toBe('queued');
  const attempt = await planning.begin();
  await upload(api, attempt, { page: 0, last: true, records: SOME, summary: summaryOf(SOME) });
  await planning.end(attempt.ref);
  await planning.finish();
  const { body } = await apply(api, planning.id);
  expect(await queued()).toBe('queued');
  const { body: before } = await api.call('GET', '/next/guarded/prd');
  expect(codeOf(await api.call('POST', PLAN))).toEqual([409, 'busy']);
  expect(codeOf(await api.call('POST', '/story/guarded/prd', { json: { id: 'a' } }))).toEqual([409, 'busy']);
  expect((await api.call('GET', '/next/guarded/prd')).body).toEqual(before);
  await api.call('DELETE', `/jobs/${body.job_id}`);
  await api.call('DELETE', '/next/guarded/prd');
  expect((await api.call('POST', '/story/guarded/prd', { json: { id: 'a' } })).status).toBe(202);
  expect(await queued()).toBe('queued');
});

it('the story of a record leaves a plan ready', async () => {
  const id = await plan(api);
  const story = await claimed(api, '/story/alpha/dev', { json: { id: 'a' } });
  const { ref } = await story.begin();
  await story.end(ref);
  await story.finish();
  expect((await show(api, id)).state).toBe('ready');
});
