/**
 * POST /run of a program that is not ours: it gets the options of its params file, unless that file allows callers
 * to replace them.
 */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- answers are untyped JSON, as for any client */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { sql } from 'kysely';
import { type Api, setup } from '../support.ts';

let api: Api;
beforeAll(async () => {
  const query = 'MAM_MAIN_QUERY=a b';
  api = await setup({
    files: {
      'dev/own-sync': ['TARGET=own', 'ACTION=sync', 'COMMAND=sh x.sh', query],
      'dev/pod-sync': ['TARGET=pod', 'ACTION=sync', 'IMAGE=registry/pod:1', query],
      'dev/outside-sync': ['TARGET=outside', 'ACTION=sync', 'RUNNER=external', query],
      'dev/open-sync': ['TARGET=open', 'ACTION=sync', 'COMMAND=sh x.sh', 'CALLER_OPTIONS=true'],
      'dev/shut-sync': ['TARGET=shut', 'ACTION=sync', 'CALLER_OPTIONS=false', query],
    },
    options: Object.fromEntries(
      ['own', 'pod', 'outside', 'open', 'shut'].map((name) => [`dev/${name}-sync`, '-n 7']),
    ),
  });
});
afterAll(() => api[Symbol.asyncDispose]());
afterEach(async () => {
  await sql`TRUNCATE jobs, idempotency_keys, targets CASCADE`.execute(api.db);
});

const asked = (target: string, over: object = {}) => ({
  target,
  env: 'dev',
  action_name: 'sync',
  action: 'sync',
  is_tag: 'latest',
  options: '-n 7',
  mam_main_query: 'a b',
  ...over,
});

it.each(['own', 'pod', 'shut'])('%s gets only the options of its file', async (target) => {
  for (const route of ['/run', '/dryrun'])
    for (const [field, value] of [
      ['options', '-n 8'],
      ['options', ''],
      ['is_tag', 'older'],
      ['mam_main_query', 'c'],
      ['mam_main_query', undefined],
    ] as const) {
      const answer = await api.call('POST', route, { json: asked(target, { [field]: value }) });
      expect([answer.status, answer.body.errors]).toEqual([
        422,
        [
          {
            field,
            message: expect.stringMatching(/sync\.public_params says, unless that has CALLER_OPTIONS=true$/),
          },
        ],
      ]);
    }
  expect((await api.call('POST', '/run', { json: asked(target, { options: ' -n  7' }) })).status).toBe(202);
});

it('a program with CALLER_OPTIONS gets the caller’s options, except for a job id', async () => {
  const run = async (options: string) => await api.call('POST', '/run', { json: asked('open', { options }) });
  expect(await run('delete --api_job_id 99999999')).toMatchObject({
    status: 422,
    body: { errors: [{ field: 'options', message: '--api_job_id is added by syncrator itself' }] },
  });
  expect((await run('anything --at all')).status).toBe(202);
});

it('our own program and external executors accept other options, which are checked', async () => {
  const outside = asked('outside', { options: '-n 9' });
  expect((await api.call('POST', '/run', { json: outside })).status).toBe(202);
  expect((await api.call('POST', '/run', { json: { ...outside, options: '--other' } })).status).toBe(422);
  const json = asked('alpha', { options: '-n 9', mam_main_query: undefined });
  expect((await api.call('POST', '/run', { json })).status).toBe(202);
});
