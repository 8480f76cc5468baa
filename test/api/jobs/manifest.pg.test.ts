/** The manifest of a job's steps: equal to a dry run, from the frozen row, and without a secret. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { readInstallation } from '../../../src/db/migrate.ts';
import { type Api, claimed, setup } from '../support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup();
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  await sql`TRUNCATE jobs CASCADE`.execute(api.db);
});

const manifest = async (id: number) => (await api.call('GET', `/jobs/${id}/manifest`)).body;

it('a manifest equals the dry run, with the id and the names of the job', async () => {
  const job = await claimed(api, '/diff/alpha/dev');
  const dry = (await api.call('GET', '/diff/alpha/dev')).body.result;
  const shown = await manifest(job.id);
  expect(shown.map((step: any) => [step.step, step.action])).toEqual([
    [0, 'delta'],
    [1, 'delete'],
  ]);
  for (const [n, step] of shown.entries()) {
    expect(step.argv).toEqual([...dry[n].argv.slice(0, -1), String(job.id)]);
    expect(Object.keys(step.environment).toSorted()).toEqual(Object.keys(dry[n].environment).toSorted());
    expect(step.environment).toMatchObject({
      MAM_MAIN_QUERY: 'type:video',
      SYNCRATOR_REPORT_URL: `${api.deps.config.reportBaseUrl}/jobs/${job.id}/report`,
      SYNCRATOR_REPORT_TOKEN: '<FILTERED>',
    });
  }
});

it('a manifest is frozen: later changes of the files do not affect it', async () => {
  const job = await claimed(api);
  await sql`UPDATE jobs SET steps_spec = jsonb_set(steps_spec, '{0,args}', '["sync", "-n", "77"]')`.execute(
    api.db,
  );
  expect((await manifest(job.id))[0].argv).toContain('77');
});

it('the manifest of a Kubernetes Job names the newest attempt and carries its labels', async () => {
  const job = await claimed(api);
  await job.end((await job.begin(0, 1)).ref);
  await job.begin(0, 2);
  await sql`UPDATE jobs SET runner = 'kubernetes'`.execute(api.db);
  const [step] = await manifest(job.id);
  const { spec_hash } = await api.db.selectFrom('jobs').select('spec_hash').executeTakeFirstOrThrow();
  expect(step.argv).toBeUndefined();
  expect(step.manifest.metadata.name).toMatch(/^syn-sync-[0-9a-f]{16}-0-2$/);
  expect(step.manifest.metadata.labels).toMatchObject({
    'syncrator/installation': await readInstallation(api.db),
    'syncrator/job-uid': job.uid,
  });
  expect(JSON.stringify(step.manifest.metadata.annotations)).toContain(spec_hash);
  const { env } = step.manifest.spec.template.spec.containers[0];
  expect(env).toContainEqual({ name: 'SYNCRATOR_REPORT_TOKEN', value: '<FILTERED>' });
});

it.each(['process', 'kubernetes'])('the manifest of runner %s shows no secret', async (runner) => {
  const json = {
    target: 'alpha',
    env: 'dev',
    action_name: 'delta',
    action: 'delta',
    is_tag: 'latest',
    options: '-n 1000',
    mam_main_query: 'https://me:topsecret@mam/q?token=topsecret',
  };
  const { job_id: id } = (await api.call('POST', '/run', { json })).body;
  await sql`UPDATE jobs SET runner = ${runner}`.execute(api.db);
  const { text } = await api.call('GET', `/jobs/${id}/manifest`);
  expect(text).not.toContain('topsecret');
  expect(text).toContain('https://<FILTERED>@mam/q?token=<FILTERED>');
});

it('the manifest of an external job is empty, that of an unknown job is 404', async () => {
  const { job_id: id } = (await api.call('POST', '/sync/outside/dev')).body;
  expect(await manifest(id)).toEqual([]);
  const none = await api.call('GET', '/jobs/999999/manifest');
  expect([none.status, none.body.code]).toEqual([404, 'unknown_job']);
});
