/** Dry runs and starts: what would run, one job per key, deduplication, and repeated requests. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sql } from 'kysely';
import { type Api, setup } from '../support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup();
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  await sql`TRUNCATE jobs, idempotency_keys, targets CASCADE`.execute(api.db);
});

const delta = {
  target: 'alpha',
  env: 'dev',
  action_name: 'delta',
  action: 'delta',
  is_tag: 'latest',
  options: '-n 1000 -c 1',
};

it('a dry run masks credentials in parameters, though the program gets them', async () => {
  const mam_main_query = 'https://me:topsecret@mam/q?token=topsecret';
  const dry = await api.call('POST', '/dryrun', { json: { ...delta, mam_main_query } });
  const started = await api.call('POST', '/run', { json: { ...delta, mam_main_query } });
  for (const { text } of [dry, started]) expect(text).not.toContain('topsecret');
  expect(started.body.MAM_MAIN_QUERY).toBe('https://<FILTERED>@mam/q?token=<FILTERED>');
  const { steps_spec } = await api.db.selectFrom('jobs').select('steps_spec').executeTakeFirstOrThrow();
  expect(steps_spec[0]?.environment['MAM_MAIN_QUERY']).toBe(mam_main_query);
  const { detail } = await api.db
    .selectFrom('audit')
    .select('detail')
    .where('object', '=', `job ${started.body.job_id}`)
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow();
  expect(JSON.stringify(detail)).toMatch(/^(?!.*topsecret).*<FILTERED>@mam/);
});

it.each(['options', 'mam_main_query'])(
  'a start refuses %s with a masked secret, which is not what ran',
  async (field) => {
    const json = { ...delta, [field]: '--source https://<FILTERED>@mam/q' };
    for (const where of ['/run', '/dryrun']) {
      const { status, body } = await api.call('POST', where, { json });
      expect(status).toBe(422);
      expect(body.errors).toMatchObject([{ field, message: expect.stringContaining('<FILTERED>') }]);
    }
  },
);

/** Replaces what a dry run does not have. */
const NO_UID = '00000000-0000-0000-0000-000000000000';

describe('a dry run', () => {
  it('a dry run shows the parameters and what the runner would start', async () => {
    const { status, body } = await api.call('GET', '/diff/alpha/dev');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ACTION: 'diff',
      ACTION_NAME: 'diff',
      ENV: 'dev',
      IS_TAG: 'latest',
      OPTIONS: '-n 1000 -c 1 --api_job_id dryrun',
      TARGET: 'alpha',
      MAM_MAIN_QUERY: 'type:video',
      job_id: 'dryrun',
    });
    expect(body.result.map((step: { argv: string[] }) => step.argv)).toEqual(
      ['delta', 'delete'].map((action) => [
        'node',
        'src/job/main.ts',
        action,
        '-n',
        '1000',
        '-c',
        '1',
        '--api_job_id',
        'dryrun',
      ]),
    );
    expect(body.result[0].environment).toMatchObject({
      SYNCRATOR_TARGET: 'alpha',
      SYNCRATOR_INSTALLATION: NO_UID,
      SYNCRATOR_JOB_UID: NO_UID,
      SYNCRATOR_ORIGIN_UID: NO_UID,
      SYNCRATOR_STEP: '0',
      SYNCRATOR_ATTEMPT: '1',
      MAM_MAIN_QUERY: 'type:video',
      SYNCRATOR_REPORT_TOKEN: '<FILTERED>',
    });
    expect(body.result[1].environment).toMatchObject({ SYNCRATOR_STEP: '1', SYNCRATOR_PART_OF: 'diff' });
    expect((await api.call('GET', '/jobs')).body).toEqual([]);
  });

  it('a dry run finds the file by the name in the path, and takes the file’s TARGET as target', async () => {
    const { body } = await api.call('GET', '/sync/hetarchief_video/qas');
    expect(body.TARGET).toBe('archiefvideo');
  });

  it('a dry run by parameters equals that of the declared action', async () => {
    const byPath = await api.call('GET', '/delta/alpha/dev');
    const byBody = await api.call('POST', '/dryrun', { json: delta });
    expect(byBody.status).toBe(200);
    expect(byBody.body).toEqual(byPath.body);
  });

  it.each([
    [
      '/sync/alphq/dev',
      'unknown_target',
      "unknown target 'alphq' in env 'dev'; known: alpha, beta, nosync, outside; did you mean alpha?",
    ],
    ['/sync/alpha/prd', 'unknown_env', "unknown env 'prd'; known: dev, qas"],
    [
      '/delta/alpha/qas',
      'unknown_action',
      "unknown action 'delta' of target 'alpha' in env 'qas'; known: sync",
    ],
    ['/sync/archiefvideo/qas', 'unknown_target', undefined],
    ['/sync/..%2F..%2Fetc%2Fpasswd/dev', 'unknown_target', undefined],
    ['/sync/__proto__/dev', 'unknown_target', undefined],
    ['/sync/alpha/constructor', 'unknown_env', undefined],
  ])('a dry run of %s says %s', async (where, code, detail) => {
    for (const method of ['GET', 'POST']) {
      const { status, body } = await api.call(method, where);
      expect([status, body.code]).toEqual([404, code]);
      if (detail) expect(body.detail).toContain(detail);
    }
  });
});

describe('a start', () => {
  it('a start is answered with 202, the same one again with 200, and another one with 409', async () => {
    const first = await api.call('POST', '/sync/alpha/dev');
    expect(first.status).toBe(202);
    expect(first.body).toMatchObject({
      ACTION: 'sync',
      TARGET: 'alpha',
      OPTIONS: `-n 1000 -c 1 --api_job_id ${first.body.job_id}`,
      result: 'starting',
      deduplicated: false,
    });
    expect(first.headers.get('location')).toBe(`/jobs/${first.body.job_id}`);
    const second = await api.call('POST', '/sync/alpha/dev');
    expect([second.status, second.body.job_id, second.body.deduplicated]).toEqual([
      200,
      first.body.job_id,
      true,
    ]);
    const other = await api.call('POST', '/delta/alpha/dev');
    expect(other.status).toBe(409);
    expect(other.headers.get('location')).toBe(`/jobs/${first.body.job_id}`);
    expect(other.body.holder).toEqual({ id: first.body.job_id, action: 'sync', status: 'queued' });
    expect(other.body.detail).toContain(`job ${first.body.job_id} (sync, queued)`);
    expect(other.body.message).toBe(other.body.detail);
  });

  it('a start pokes its workflow in Temporal', async () => {
    await api.call('POST', '/sync/alpha/dev');
    const handle = api.deps.temporal.client.workflow.getHandle('syncrator/dev/alpha');
    expect((await handle.describe()).status.name).toBe('RUNNING');
  });

  it('50 simultaneous starts lead to one job', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => api.call('POST', '/sync/alpha/dev')));
    expect(new Set(answers.map((a) => a.body.job_id)).size).toBe(1);
    expect(answers.filter((a) => a.status === 202)).toHaveLength(1);
    expect(answers.filter((a) => a.status === 200)).toHaveLength(49);
    expect((await api.call('GET', '/jobs')).body).toHaveLength(1);
  });

  it('a start of an external target keeps its runner', async () => {
    const { body } = await api.call('POST', '/sync/outside/dev');
    expect((await api.call('GET', `/jobs/${body.job_id}`)).body.runner).toBe('external');
  });

  it('a start freezes the settings of the file', async () => {
    await api.call('POST', '/run', {
      json: { ...delta, env: 'qas', target: 'archiefvideo', action_name: 'again', action: 'sync' },
    });
    const row = await api.db.selectFrom('jobs').selectAll().executeTakeFirstOrThrow();
    expect(row.steps_spec[0]?.timeoutSeconds).toBe(90 * 60);
    expect([row.target, row.action_name]).toEqual(['archiefvideo', 'again']);
  });
});

describe('POST /run', () => {
  it('a start by parameters equals the start by path', async () => {
    const byBody = await api.call('POST', '/run', { json: delta });
    expect(byBody.status).toBe(202);
    const byPath = await api.call('POST', '/delta/alpha/dev');
    expect([byPath.status, byPath.body.job_id]).toEqual([200, byBody.body.job_id]);
  });

  it('a start passes on mam_main_query', async () => {
    const { body } = await api.call('POST', '/run', { json: { ...delta, mam_main_query: 'a=b' } });
    expect(body.MAM_MAIN_QUERY).toBe('a=b');
  });

  it.each([
    ['target', 'gamma'],
    ['target', '../../etc'],
    ['target', '$(id)'],
    ['env', 'prd'],
    ['action_name', 'A b'],
    ['action_name', 'x'.repeat(41)],
    ['action', 'format'],
    ['is_tag', 'latest;id'],
    ['is_tag', ''],
    ['options', '--unknown'],
    ['options', '-n 1000 --api_job_id 4'],
    ['options', '-n 0'],
    ['options', 'a\nb'],
    ['options', 5],
    ['mam_main_query', null],
  ])('a start refuses %s %j, naming it', async (field, value) => {
    for (const where of ['/run', '/dryrun']) {
      const { status, body } = await api.call('POST', where, { json: { ...delta, [field]: value } });
      expect(status).toBe(422);
      expect(body.errors).toEqual([{ field, message: expect.any(String) }]);
      expect(body.detail).toContain(field);
    }
  });

  it('a start refuses an unknown field and a missing one, naming them', async () => {
    const { options: _, ...rest } = delta;
    const { body } = await api.call('POST', '/run', { json: { ...rest, colour: 'red' } });
    expect(body.errors.map((e: { field: string }) => e.field).toSorted()).toEqual(['colour', 'options']);
  });
});

describe('POST /rollback', () => {
  it("a rollback uses the sync's specification", async () => {
    const { status, body } = await api.call('POST', '/rollback/alpha/dev');
    expect([status, body.ACTION, body.ACTION_NAME]).toEqual([202, 'rollback', 'rollback']);
    const job = (await api.call('GET', `/jobs/${body.job_id}`)).body;
    expect([job.trigger, job.requested_by, job.job_type]).toEqual(['rollback', 'admin', 'rollback']);
  });
  it('a rollback is 404 if the target has no sync', async () => {
    expect((await api.call('POST', '/rollback/nosync/dev')).status).toBe(404);
  });
});

describe('an Idempotency-Key', () => {
  const headers = { 'idempotency-key': 'nightly-1' };
  it('a repeated Idempotency-Key gets the same answer, also after the job has ended', async () => {
    const first = await api.call('POST', '/sync/alpha/dev', { headers });
    await api.call('DELETE', `/jobs/${first.body.job_id}`);
    const again = await api.call('POST', '/sync/alpha/dev', { headers });
    expect([again.status, again.body]).toEqual([202, first.body]);
    const without = await api.call('POST', '/sync/alpha/dev');
    expect(without.body.job_id).not.toBe(first.body.job_id);
  });

  it('an Idempotency-Key is refused for another request', async () => {
    await api.call('POST', '/run', { json: delta, headers });
    const reordered = Object.fromEntries(Object.entries(delta).toReversed());
    expect((await api.call('POST', '/run', { json: reordered, headers })).status).toBe(202);
    const other = await api.call('POST', '/run', { json: { ...delta, is_tag: 'qas' }, headers });
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
    expect((await api.call('POST', '/delta/alpha/dev', { headers })).status).toBe(422);
    const paths = { 'idempotency-key': 'nightly-2' };
    expect((await api.call('POST', '/sync/beta/dev', { headers: paths })).status).toBe(202);
    expect((await api.call('POST', '/sync/alpha/qas', { headers: paths })).status).toBe(422);
  });

  it.each([[''], ['a b'], ['é'], ['x'.repeat(256)]])('the Idempotency-Key %j is refused', async (key) => {
    const answer = await api.call('POST', '/sync/alpha/dev', { headers: { 'idempotency-key': key } });
    expect([answer.status, answer.body.code]).toEqual([400, 'bad_header']);
  });
});
