/** Rollbacks: to before the last sync or any job of the target, with previews; and take-overs of a sink. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { finishJob } from '../../../src/db/jobs/finish.ts';
import { isPreview, namedRecords, withoutForce } from '../../../src/domain/options.ts';
import { unlimited } from '../../../src/domain/permission.ts';
import { parseArguments } from '../../../src/job/arguments.ts';
import { person } from '../losses/support.ts';
import { type Api, claimed, setup } from '../support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup({
    files: { 'dev/loose-sync': ['TARGET=loose', 'ACTION=sync'] },
    options: { 'dev/loose-sync': '-n 5 --force-delete' },
  });
});
afterAll(() => api[Symbol.asyncDispose]());
afterEach(async () => {
  await sql`TRUNCATE jobs, idempotency_keys, targets CASCADE`.execute(api.db);
});

const DIGEST = '3f0c9a71b2d84e65';
const ask = (json?: unknown, target = 'alpha') =>
  api.call('POST', `/rollback/${target}/dev`, json === undefined ? {} : { json });
const show = async (id: number) => (await api.call('GET', `/jobs/${id}`)).body;
const argsOf = async (id: number) => {
  const { steps_spec } = await api.db
    .selectFrom('jobs')
    .select('steps_spec')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return steps_spec.map(({ args }) => args.join(' '));
};
/** A job that ran to its end. */
async function done(where = '/sync/alpha/dev') {
  const job = await claimed(api, where);
  await job.finish();
  return job;
}
/** The job of an answer, after it has completed. */
async function finish(answer: { body: any }) {
  const { job_id: jobId } = answer.body;
  const runId = '11111111-1111-4111-8111-111111111111';
  await sql`UPDATE jobs SET run_id = ${runId}, status = 'running' WHERE id = ${jobId}`.execute(api.db);
  await finishJob(api.db, { jobId, runId, outcome: { kind: 'completed' } });
}

it('a rollback without a body goes back to before the last sync', async () => {
  const { status, body } = await ask();
  expect([status, body.ACTION, body.ACTION_NAME]).toEqual([202, 'rollback', 'rollback']);
  expect(await argsOf(body.job_id)).toEqual(['rollback -n 1000 -c 1']);
  expect(await show(body.job_id)).toMatchObject({ rollback_before: null, trigger: 'rollback' });
});

it('`before` is frozen as the job’s uid, and shown as its id', async () => {
  const early = await done();
  await done();
  const { status, body } = await ask({ before: early.id, expect: DIGEST });
  expect(status).toBe(202);
  expect(await argsOf(body.job_id)).toEqual([
    `rollback -n 1000 -c 1 --before ${early.uid} --expect ${DIGEST}`,
  ]);
  expect(await show(body.job_id)).toMatchObject({ rollback_before: early.id, job_type: 'rollback' });
  expect((await api.call('GET', '/jobs')).body[0].rollback_before).toBe(early.id);
  // Another request is another rollback.
  expect((await ask({ before: early.id })).body).toMatchObject({ status: 409, code: 'busy' });
  expect((await ask({ before: early.id, expect: DIGEST })).status).toBe(200);
});

it('a rollback may be limited to the records of the job, or to some ids', async () => {
  const early = await done();
  const some = await ask({ before: early.id, ids: ['a b/ü', "o'clock"] });
  expect(await argsOf(some.body.job_id)).toEqual([
    `rollback -n 1000 -c 1 --before ${early.uid} --id a%20b%2F%C3%BC --id o'clock`,
  ]);
  await finish(some);
  const only = await ask({ before: early.id, only: true });
  expect(await argsOf(only.body.job_id)).toEqual([`rollback -n 1000 -c 1 --before ${early.uid} --only`]);
});

it('an id that looks like an option is only an id', async () => {
  const operator = await person(api, unlimited('operator'));
  const json = { ids: ['--preview', '--force-delete', '-n', '--only'] };
  const { status, body } = await api.call('POST', '/rollback/alpha/dev', { token: operator.token, json });
  expect(status).toBe(202);
  const { options } = (await show(body.job_id)).parameters;
  expect(options).toBe('-n 1000 -c 1 --id %2D-preview --id %2D-force-delete --id %2Dn --id %2D-only');
  expect(namedRecords(options)).toEqual(json);
  expect([isPreview({ action: 'rollback', options }), withoutForce(options)]).toEqual([false, options]);
  const [args = ''] = await argsOf(body.job_id);
  expect(parseArguments(args.split(' '))).toMatchObject({
    arguments: { ids: json.ids, preview: false, only: false, forceDelete: false, batchSize: 1000 },
  });
});

it.each([
  [{ ids: [] }, 'ids'],
  [{ ids: [''] }, 'ids'],
  [{ ids: Array.from({ length: 51 }, (_, at) => String(at)) }, 'ids'],
  [{ ids: ['ü'.repeat(300)] }, 'ids'],
  [{ ids: ['a'], only: true }, 'only'],
])('%j is refused, and names the field', async (body, field) => {
  const { status, body: problem } = await ask(body);
  expect(status).toBe(422);
  expect(problem.errors[0].field).toMatch(new RegExp(`^${field}`));
});

it('a preview is a job under its own name; neither it nor a rollback nor a take-over counts as the target’s success', async () => {
  const sync = await done();
  const preview = await ask({ before: sync.id, preview: true });
  expect(preview.body).toMatchObject({ ACTION: 'rollback', ACTION_NAME: 'rollback-preview' });
  expect(await argsOf(preview.body.job_id)).toEqual([`rollback -n 1000 -c 1 --before ${sync.uid} --preview`]);
  await finish(preview);
  await finish(await ask());
  await finish(await api.call('POST', '/take-over/alpha/dev'));
  const { body } = await api.call('GET', '/targets/alpha');
  const dev = body.environments.find(({ env }: any) => env === 'dev');
  expect(dev.last_success_job_id).toBe(sync.id);
  expect(dev.last_job.status).toBe('completed');
});

it('a rollback moves the watermark of its target, a preview does not', async () => {
  const watermark = async () => (await api.call('GET', '/targets/alpha')).body.environments[0].watermark;
  const told = async (where: Awaited<ReturnType<typeof claimed>>, time: string) => {
    const { ref, token } = await where.begin();
    const json = { seq: 1, phase: 'done', watermark: time };
    await api.call('PUT', `/jobs/${where.id}/report`, { token, json });
    await where.end(ref);
    await where.finish();
  };
  await told(await claimed(api), '2026-11-22T00:00:00.000Z');
  expect(await watermark()).toBe('2026-11-22T00:00:00.000Z');
  await told(await claimed(api, '/rollback/alpha/dev'), '2026-11-21T00:00:00.000Z');
  expect(await watermark()).toBe('2026-11-21T00:00:00.000Z');
  const preview = await claimed(api, '/rollback/alpha/dev');
  await sql`UPDATE jobs SET options = '-n 5 --preview' WHERE id = ${preview.id}`.execute(api.db);
  await told(preview, '2026-11-20T00:00:00.000Z');
  expect(await watermark()).toBe('2026-11-21T00:00:00.000Z');
});

it('a rollback to before a job of another target is refused, naming it', async () => {
  expect((await ask({ before: 999_999 })).body).toMatchObject({
    status: 404,
    code: 'unknown_job',
    detail: 'there is no job 999999',
  });
  const beta = await done('/sync/beta/dev');
  const qas = await done('/sync/alpha/qas');
  for (const [id, where] of [
    [beta.id, "target 'beta' in env 'dev'"],
    [qas.id, "target 'alpha' in env 'qas'"],
  ] as const)
    expect((await ask({ before: id })).body).toMatchObject({
      status: 422,
      errors: [{ field: 'before', message: `job ${id} is of ${where}` }],
    });
  const outside = await api.call('POST', '/sync/outside/dev');
  expect((await ask({ before: outside.body.job_id }, 'outside')).body.errors).toMatchObject([
    { field: 'before', message: expect.stringContaining('external executor') },
  ]);
  expect((await api.call('GET', '/jobs?operation=rollback')).body).toEqual([]);
});

it.each([
  ['before', { before: 0 }],
  ['before', { before: '1' }],
  ['expect', { expect: 'DEADBEEFDEADBEEF' }],
  ['expect', { expect: 'abc' }],
  ['expect', { expect: DIGEST, preview: true }],
  ['preview', { preview: 'yes' }],
  ['force', { force: true }],
])('%s is refused in %j', async (field, json) => {
  const { status, body } = await ask(json);
  expect([status, body.errors.map((error: any) => error.field)]).toEqual([422, [field]]);
});

it('neither a rollback nor a take-over passes on --force-delete, since no guard judges them', async () => {
  for (const where of ['/rollback/loose/dev', '/take-over/loose/dev']) {
    const answer = await api.call('POST', where);
    expect(answer.body.OPTIONS).toMatch(/^-n 5 --api_job_id/);
    await finish(answer);
  }
});

it('a take-over uses the sync’s specification, and its audit line names it', async () => {
  const { status, body } = await api.call('POST', '/take-over/alpha/dev');
  expect([status, body.ACTION]).toEqual([202, 'take-over']);
  expect(await argsOf(body.job_id)).toEqual(['take-over -n 1000 -c 1']);
  const { rows } = await sql<{ verb: string }>`
    SELECT verb FROM audit WHERE object = ${`job ${body.job_id}`}`.execute(api.db);
  expect(rows).toEqual([{ verb: 'take-over' }]);
  expect((await api.call('POST', '/take-over/nosync/dev')).body.code).toBe('unknown_action');
});
