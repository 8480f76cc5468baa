/** Resuming what failed, step by step on a real Postgres: what is left out, where it goes on, and what is refused. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are read as any client reads them: JSON that nobody has typed */
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { readCheckpoint } from '../../src/db/checkpoints.ts';
import { finishJob } from '../../src/db/finish.ts';
import { endStep } from '../../src/db/steps.ts';
import type { Diagnosis } from '../../src/domain/outcome.ts';
import { type Api, claimed, setup } from './support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup();
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  await sql`UPDATE jobs SET status = 'deleted', finished_at = now()
    WHERE status IN ('queued', 'waiting', 'starting', 'running', 'cancelling')`.execute(api.db);
});

const DIAGNOSIS: Diagnosis = { code: 'exit_code', summary: 'It failed.', detail: '', what_to_do: 'Look.' };

/** A job whose step `failing` failed after those before it completed; its report had a checkpoint. */
async function failedAt(where: string, failing: number): Promise<number> {
  const job = await claimed(api, where);
  for (let step = 0; step < failing; step += 1) await job.end((await job.begin(step)).ref);
  const { ref, token } = await job.begin(failing);
  const checkpoint = { cursor: `of job ${job.id}` };
  await api.call('PUT', `/jobs/${job.id}/report`, { token, json: { seq: 1, phase: 'load', checkpoint } });
  await endStep(api.db, ref, { kind: 'failed', diagnosis: DIAGNOSIS });
  const outcome = { kind: 'failed', diagnosis: DIAGNOSIS } as const;
  await finishJob(api.db, { jobId: job.id, runId: job.runId, outcome });
  return job.id;
}

const resume = (id: number) => api.call('POST', `/jobs/${id}/resume`);
const actionsOf = async (id: number) =>
  (
    await api.db.selectFrom('jobs').select('steps_spec').where('id', '=', id).executeTakeFirstOrThrow()
  ).steps_spec.map(({ action }) => action);

it('a diff that failed in its delete goes on with the delete alone, from its checkpoint', async () => {
  const failed = await failedAt('/diff/alpha/dev', 1);
  const { status, body, headers } = await resume(failed);
  expect([status, headers.get('location')]).toEqual([202, `/jobs/${body.id}`]);
  expect(body).toMatchObject({ resumes: failed, trigger: 'resume', job_type: 'diff', status: 'queued' });
  expect(body.parameters).toEqual((await api.call('GET', `/jobs/${failed}`)).body.parameters);
  expect(await actionsOf(body.id)).toEqual(['delete']);
  expect(await readCheckpoint(api.db, body.id, 0)).toEqual({ cursor: `of job ${failed}` });
});

it('a diff whose delta ended over an hour ago begins with the delta again', async () => {
  const failed = await failedAt('/diff/alpha/dev', 1);
  await sql`UPDATE steps SET ended_at = now() - interval '61 minutes' WHERE job_id = ${failed}`.execute(
    api.db,
  );
  const { body } = await resume(failed);
  expect(await actionsOf(body.id)).toEqual(['delta', 'delete']);
  expect(await readCheckpoint(api.db, body.id, 1)).toEqual({ cursor: `of job ${failed}` });
  expect(await readCheckpoint(api.db, body.id, 0)).toBeUndefined();
});

it('a resumed job that fails before its first checkpoint is resumed from the one of the job before', async () => {
  const first = await failedAt('/diff/alpha/dev', 1);
  const second = (await resume(first)).body.id;
  await api.db
    .updateTable('jobs')
    .set({ status: 'failed', finished_at: new Date(), diagnosis: JSON.stringify(DIAGNOSIS) })
    .where('id', '=', second)
    .execute();
  const third = (await resume(second)).body.id;
  expect(await actionsOf(third)).toEqual(['delete']);
  expect(await readCheckpoint(api.db, third, 0)).toEqual({ cursor: `of job ${first}` });
});

it('what has not failed, is unknown, was resumed already or is held by another is refused, with the words for it', async () => {
  expect((await resume(999_999)).body).toMatchObject({ status: 404, code: 'unknown_job' });
  const running = await claimed(api);
  expect((await resume(running.id)).body).toMatchObject({ status: 409, code: 'not_failed' });
  await running.finish();
  const failed = await failedAt('/sync/alpha/dev', 0);
  const holder = await claimed(api, '/delta/alpha/dev');
  expect((await resume(failed)).body).toMatchObject({ status: 409, code: 'busy', holder: { id: holder.id } });
  await holder.finish();
  const [one, two] = await Promise.all([resume(failed), resume(failed)]);
  const [won, lost] = one.status === 202 ? [one, two] : [two, one];
  expect(won.status).toBe(202);
  expect(lost.body).toMatchObject({ status: 409, code: 'already_resumed', holder: { id: won.body.id } });
});

it('the same job that is active already stands in for it', async () => {
  const failed = await failedAt('/sync/alpha/dev', 0);
  const { body } = await api.call('POST', '/sync/alpha/dev');
  const same = await resume(failed);
  expect([same.status, same.body.id, same.body.resumes]).toEqual([200, body.job_id, null]);
});

it('a request repeated with its Idempotency-Key is the same job', async () => {
  const failed = await failedAt('/sync/alpha/dev', 0);
  const headers = { 'idempotency-key': 'resume-once' };
  const answers = [1, 2].map(() => api.call('POST', `/jobs/${failed}/resume`, { headers }));
  const [one, two] = await Promise.all(answers);
  expect([one?.status, two?.status, two?.body.id]).toEqual([202, 202, one?.body.id]);
});

it('resume-all goes on with each target whose last job failed, and is told of each that cannot', async () => {
  const alpha = await failedAt('/sync/alpha/dev', 0);
  const beta = await failedAt('/sync/beta/dev', 0);
  const old = await failedAt('/sync/alpha/qas', 0);
  const newer = await claimed(api, '/sync/alpha/qas');
  await newer.finish();
  // A key of the whole request is none of each job's: they would all be the first one.
  const headers = { 'idempotency-key': 'all-at-once' };
  const { status, body } = await api.call('POST', '/jobs/resume-all', { headers });
  expect(status).toBe(200);
  expect(new Set((body as { job_id: number }[]).map((one) => one.job_id)).size).toBe(body.length);
  const resumed = (body as { resumes: number }[]).map((one) => one.resumes);
  expect(resumed).toEqual(expect.arrayContaining([alpha, beta]));
  expect(resumed).not.toContain(old);
  for (const one of body)
    expect(one).toMatchObject({ job_id: expect.any(Number), code: null, msg: 'resumed' });
  expect((await api.call('POST', '/jobs/resume-all')).body).toEqual([]);
});

it('resume-all is no job: other methods are told what it takes', async () => {
  for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
    const { status, headers, body } = await api.call(method, '/jobs/resume-all');
    expect([status, headers.get('allow'), body.code]).toEqual([405, 'POST', 'method_not_allowed']);
  }
});
