/** Resuming failed jobs step by step on a real Postgres: what is left out, where it continues, and what is refused. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createApp } from '../../../src/api/app.ts';
import { readCheckpoint } from '../../../src/db/jobs/checkpoints.ts';
import { finishJob } from '../../../src/db/jobs/finish.ts';
import { endStep } from '../../../src/db/jobs/steps.ts';
import type { Diagnosis } from '../../../src/domain/outcome.ts';
import { loadJobParams } from '../../../src/job-params/load.ts';
import { type ParamsFile, paramsFile, writeParams } from '../../support/params-files.ts';
import { type Api, claimed, setup } from '../support.ts';

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

/** A job whose step `failing` failed after those before it had completed; its report had a checkpoint. */
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

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** The api after a restart with this one params file. */
async function withParams(file: ParamsFile) {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-resume-'));
  folders.push(dir);
  const app = createApp({ ...api.deps, params: await loadJobParams(writeParams(dir, [paramsFile(file)])) });
  return async (method: string, where: string) => {
    const response = await app.request(where, { method, headers: { authorization: `Bearer ${api.token}` } });
    return { status: response.status, body: (await response.json()) as any };
  };
}

const resume = (id: number) => api.call('POST', `/jobs/${id}/resume`);
const actionsOf = async (id: number) =>
  (
    await api.db.selectFrom('jobs').select('steps_spec').where('id', '=', id).executeTakeFirstOrThrow()
  ).steps_spec.map(({ action }) => action);

it('a diff that failed in its delete continues with the delete only, from its checkpoint', async () => {
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

it('a job that has not failed, is unknown, was resumed already or whose key is held is refused with the reason', async () => {
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

it('an active job with the same parameters takes its place', async () => {
  const failed = await failedAt('/sync/alpha/dev', 0);
  const { body } = await api.call('POST', '/sync/alpha/dev');
  const same = await resume(failed);
  expect([same.status, same.body.id, same.body.resumes]).toEqual([200, body.job_id, null]);
});

it('a request repeated with its Idempotency-Key returns the same job', async () => {
  const failed = await failedAt('/sync/alpha/dev', 0);
  const headers = { 'idempotency-key': 'resume-once' };
  const answers = [1, 2].map(() => api.call('POST', `/jobs/${failed}/resume`, { headers }));
  const [one, two] = await Promise.all(answers);
  expect([one?.status, two?.status, two?.body.id]).toEqual([202, 202, one?.body.id]);
});

it('resume-all resumes each target whose last job failed, and names each that it cannot resume', async () => {
  const alpha = await failedAt('/sync/alpha/dev', 0);
  const beta = await failedAt('/sync/beta/dev', 0);
  const old = await failedAt('/sync/alpha/qas', 0);
  const newer = await claimed(api, '/sync/alpha/qas');
  await newer.finish();
  // A key for the whole request is not passed to each job: they would all be the first one.
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

it('resume-all leaves out a job that ended over a day ago and names it; a resume by its id works', async () => {
  const old = await failedAt('/sync/beta/dev', 0);
  await sql`UPDATE jobs SET finished_at = now() - interval '24 hours 1 minute' WHERE id = ${old}`.execute(
    api.db,
  );
  const { body } = await api.call('POST', '/jobs/resume-all');
  expect(body).toContainEqual({
    resumes: old,
    job_id: null,
    code: 'too_old',
    msg: `job ${old} ended over 24 h ago; resume it by its id, or start a new job`,
  });
  expect((await resume(old)).status).toBe(202);
});

const force = { target: 'alpha', env: 'dev', is_tag: 'latest', options: '-n 5 --force-delete' };
const forced = async (action: string) => {
  const { body } = await api.call('POST', '/run', { json: { ...force, action_name: action, action } });
  await fail(body.job_id);
  return body.job_id as number;
};
/** Ends the job as its workflow would. */
const fail = (id: number) =>
  api.db
    .updateTable('jobs')
    .set({
      status: 'failed',
      claimed_at: new Date(),
      finished_at: new Date(),
      diagnosis: JSON.stringify(DIAGNOSIS),
    })
    .where('id', '=', id)
    .execute();
const frozen = async (id: number) =>
  await api.db
    .selectFrom('jobs')
    .select(['options', 'is_tag', 'steps_spec'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow();

it.each(['delete', 'sync', 'diff'])('the guard applies to a resumed %s again', async (action) => {
  const { body } = await resume(await forced(action));
  expect(body.parameters.options).toBe('-n 5');
  const { steps_spec } = await frozen(body.id);
  expect(steps_spec.flatMap(({ args }) => args)).not.toContain('--force-delete');
  const { rows } = await sql<{ detail: { note?: string } }>`
    SELECT detail FROM audit WHERE object = ${`job ${body.id}`}`.execute(api.db);
  expect(rows.map(({ detail }) => detail.note)).toEqual([undefined]);
});

it('a resume uses today’s params file: its limits, command and tag', async () => {
  const failed = await failedAt('/sync/alpha/dev', 0);
  const today = await withParams({
    target: 'alpha',
    action: 'sync',
    command: null,
    more: 'MAX_DELETE_PERCENT=0\nTIMEOUT=7s\nIMAGE=other:2\n',
  });
  const { status, body } = await today('POST', `/jobs/${failed}/resume`);
  expect(status).toBe(202);
  const { options, steps_spec } = await frozen(body.id);
  expect(options).toBe('-n 1000 -c 1');
  expect(steps_spec).toMatchObject([
    { image: 'other:2', timeoutSeconds: 7, environment: { SYNCRATOR_MAX_DELETE_PERCENT: '0' } },
  ]);
});

it('a job that no params file declares any more is not resumed', async () => {
  const delta = await failedAt('/delta/alpha/dev', 0);
  const today = await withParams({ target: 'alpha', action: 'sync', command: null });
  const refused = await today('POST', `/jobs/${delta}/resume`);
  expect(refused.body).toMatchObject({
    status: 409,
    code: 'not_declared',
    detail: `job ${delta} cannot be resumed: no params file declares the action 'delta' of target 'alpha' in env 'dev' any more; start a declared action`,
  });
  const beta = await failedAt('/sync/beta/dev', 0);
  expect((await today('POST', `/jobs/${beta}/resume`)).body.code).toBe('not_declared');
  expect((await today('POST', '/jobs/resume-all')).body).toEqual(
    expect.arrayContaining([expect.objectContaining({ resumes: beta, job_id: null, code: 'not_declared' })]),
  );
});

it('a job whose params file leads to other steps today is not resumed', async () => {
  const failed = await failedAt('/diff/alpha/dev', 1);
  const today = await withParams({ target: 'alpha', action: 'diff' });
  expect((await today('POST', `/jobs/${failed}/resume`)).body).toMatchObject({
    status: 409,
    code: 'not_resumable',
  });
});

it('a rollback is resumed only while no newer job of its target has begun', async () => {
  const rollback = async () => {
    const { body } = await api.call('POST', '/rollback/alpha/dev');
    await fail(body.job_id);
    return body.job_id as number;
  };
  const first = await rollback();
  const preview = await api.call('POST', '/rollback/alpha/dev', { json: { preview: true } });
  await fail(preview.body.job_id);
  const again = await resume(first);
  expect(again.body).toMatchObject({ resumes: first, action: 'rollback' });
  await fail(again.body.id);
  // The answer says that it was resumed, which is more than that its resume has begun.
  expect((await resume(first)).body.code).toBe('already_resumed');
  const newer = await claimed(api, '/sync/alpha/dev');
  await newer.finish();
  expect((await resume(again.body.id)).body).toMatchObject({
    status: 409,
    code: 'newer_job',
    detail: expect.stringContaining(
      `job ${newer.id} of the same target has begun since; start a new rollback`,
    ),
  });
});

it('a chain of resumes has one origin', async () => {
  const first = await failedAt('/sync/alpha/dev', 0);
  const second = (await resume(first)).body.id;
  await fail(second);
  const third = (await resume(second)).body.id;
  const uidOf = async (id: number) => (await api.call('GET', `/jobs/${id}`)).body.uid;
  const { body } = await api.call('GET', `/jobs/${third}/manifest`);
  const shown = JSON.stringify(body);
  expect(shown).toContain(await uidOf(first));
  expect(shown).toContain(await uidOf(third));
  expect(shown).not.toContain(await uidOf(second));
  const own = await api.call('GET', `/jobs/${first}/manifest`);
  expect(JSON.stringify(own.body)).toContain(await uidOf(first));
});

it('resume-all is not a job id: other methods get the allowed ones', async () => {
  for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
    const { status, headers, body } = await api.call(method, '/jobs/resume-all');
    expect([status, headers.get('allow'), body.code]).toEqual([405, 'POST', 'method_not_allowed']);
  }
});
