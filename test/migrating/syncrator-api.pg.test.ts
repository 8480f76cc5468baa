/**
 * syncrator-api's README from top to bottom, as its users typed it, against the real api, worker and program. Lines
 * with DIFFERENT mark deliberate differences, which docs/migrating.md explains.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { ADMIN_PASSWORD } from '../support/login.ts';
import { startSystem, type System } from '../support/system.ts';
import { type FakeSource, startFakeSource } from '../job/support/fake-source.ts';
import { userShell } from './user-shell.ts';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const EVERYTHING = 20;
/** The repository's own files; the document's 24 are among them. */
const JOB_PARAMS = path.resolve(import.meta.dirname, '../../job_params');

let system: System;
let source: FakeSource;
let sink: TestDatabase;
let token = 'YOUR_PERSONAL_TOKEN';
/** Lets a held source answer. */
let release: (() => void) | undefined;
const user = userShell(() => ({ URL: system.apiUrl, TOKEN: token, PASSWORD: ADMIN_PASSWORD }));

beforeAll(async () => {
  source = await startFakeSource();
  source.put(
    ...Array.from({ length: EVERYTHING }, (_, at) => ({
      id: `item-${String(at).padStart(3, '0')}`,
      updated_at: '2020-05-19T00:00:00Z',
      title: `title ${at}`,
    })),
  );
  sink = await createDatabase({ migrated: false });
  system = await startSystem({ params: { folder: JOB_PARAMS } });
  mkdirSync(path.join(system.dataDir, 'envtarget'));
  writeFileSync(
    path.join(system.dataDir, 'envtarget/qas-avo.env'),
    `SOURCE=ndjson\nSOURCE_URL=${source.url}\nSINK=postgres\nSINK_URL=${sink.url}\nSINK_TABLE=avo\n`,
  );
  // In the predecessor everybody could read; here that is a setting.
  await Promise.all([system.startApi({ PUBLIC_READS: 'true' }), system.startWorker()]);
});
afterAll(async () => {
  release?.();
  await system[Symbol.asyncDispose]();
  await sink.drop();
  await source.close();
});

/** From now on the source holds every reader until it is released. */
function holdSource(): void {
  const held = Promise.withResolvers<undefined>();
  source.bend = () => held.promise as unknown as Promise<Response>;
  release = () => {
    source.bend = null;
    held.resolve(undefined);
  };
}

type Job = {
  id: number;
  status: string;
  sync_id: number | null;
  sync_job: Record<string, unknown> | null;
  [field: string]: unknown;
};

const job = async (id: unknown) => (await user(`curl $URL/jobs/${String(id)}`)).body as Job;
const until = async (id: unknown, status: string) => {
  await expect.poll(async () => (await job(id)).status, { timeout: 30_000 }).toBe(status);
  return await job(id);
};
const jobIdOf = (body: unknown) => (body as { job_id: number }).job_id;

test('Running locally: the root page', async () => {
  const home = await user('curl -v -X GET $URL/ 2>/dev/null');
  expect(home.status).toBe(200);
  expect(home.text).toContain('<!doctype html>');
  expect(await user('curl $URL/health/live')).toMatchObject({ status: 200 });
});

test('API calls available: the lists', async () => {
  expect(await user('curl $URL/jobs')).toMatchObject({ status: 200, body: [] });
  expect(await user('curl $URL/sync_jobs')).toMatchObject({ status: 200, body: [] });
});

test('Parametrised jobs: each of the 24 files has a dry run', { timeout: 60_000 }, async () => {
  for (const env of ['prd', 'qas'])
    for (const target of ['avo', 'cataloguspro', 'metadatacatalogus'])
      for (const action of ['delete', 'delta', 'diff', 'sync'])
        expect(await user(`curl $URL/${action}/${target}/${env}`)).toMatchObject({
          status: 200,
          body: { ACTION: action, ACTION_NAME: action, ENV: env, TARGET: target, job_id: 'dryrun' },
        });
  // A full sync of a Solr catalogue uses its aliases; test/e2e/solr.pg.test.ts runs one on a real SolrCloud.
  expect((await user('curl $URL/sync/cataloguspro/qas')).body).toMatchObject({
    OPTIONS: '-n 1000 -c 4 --switch_solr_alias --target_env qas --target cataloguspro --api_job_id dryrun',
  });
  // DIFFERENT: an unknown one is 404 and lists the known ones; there it was 400.
  expect(await user('curl $URL/sync/avoo/qas')).toMatchObject({
    status: 404,
    body: { message: expect.stringContaining('did you mean avo?') as string },
  });
});

test('Authorization: a token by form, needed for every write', async () => {
  for (const method of ['POST', 'DELETE']) {
    const route = method === 'POST' ? '/sync/avo/qas' : '/jobs/123';
    expect((await user(`curl -X ${method} $URL${route}`)).status).toBe(401);
    expect((await user(`curl -X ${method} $URL${route} -H "Authorization: Bearer $TOKEN"`)).status).toBe(401);
  }
  // DIFFERENT: wrong credentials are 401; there they were 200 with an error inside.
  expect((await user('curl -X POST -F "username=admin" -F "password=PW_HERE" $URL/login')).status).toBe(401);
  const login = await user('curl -X  POST -F "username=admin" -F "password=$PASSWORD" $URL/login');
  expect(login).toMatchObject({ status: 200, body: { expires_in: 899, token_type: 'bearer' } });
  // As the form of the default home page sends it.
  const form = 'curl -d username=admin --data-urlencode "password=$PASSWORD" $URL/login';
  expect((await user(form)).status).toBe(200);
  token = (login.body as { access_token: string }).access_token;
  expect((await user('curl -X DELETE -H "Authorization: Bearer $TOKEN" $URL/jobs/123')).status).toBe(404);
});

const SIX = `'{ "target":"avo", "env":"qas", "action_name": "delta", "action": "delta", "is_tag": "latest",
    "options": "-n 1000 -c 1" }'`;
const JSON_AND_TOKEN = `-H 'Content-Type:application/json' -H "Authorization: Bearer $TOKEN"`;
const PARAMETERS = {
  ACTION: 'delta',
  ACTION_NAME: 'delta',
  ENV: 'qas',
  IS_TAG: 'latest',
  TARGET: 'avo',
};

test('Examples: a dry run by parameters is the dry run of the file', async () => {
  const byParameters = await user(`curl -X POST $URL/dryrun ${JSON_AND_TOKEN} -d ${SIX}`);
  expect(byParameters).toMatchObject({
    status: 200,
    body: { ...PARAMETERS, OPTIONS: '-n 1000 -c 1 --api_job_id dryrun', job_id: 'dryrun' },
  });
  expect((await user('curl $URL/delta/avo/qas')).body).toEqual(byParameters.body);
  // DIFFERENT: `result` is what the runner would render, not a shell line with the cluster's password.
  expect((byParameters.body as { result: unknown }).result).toEqual([
    expect.objectContaining({
      argv: ['node', 'src/job/main.ts', 'delta', '-n', '1000', '-c', '1', '--api_job_id', 'dryrun'],
    }),
  ]);
});

test('Examples: a full sync, a delta by parameters, a delete and a diff', { timeout: 60_000 }, async () => {
  const full = await user(`curl -X POST $URL/sync/avo/qas -H "Authorization: Bearer $TOKEN"`);
  // DIFFERENT: 202 for a new job; there it was 200.
  expect(full).toMatchObject({ status: 202, body: { result: 'starting' } });
  await until(jobIdOf(full.body), 'completed');
  const run = await user(`curl -X POST $URL/run ${JSON_AND_TOKEN} -d ${SIX}`);
  const id = jobIdOf(run.body);
  // DIFFERENT from the document, like its program: upper-case keys, `job_id`, and the OPTIONS as they ran.
  expect(run).toMatchObject({
    status: 202,
    body: { ...PARAMETERS, OPTIONS: `-n 1000 -c 1 --api_job_id ${id}`, result: 'starting' },
  });
  const ended = await until(id, 'completed');
  // DIFFERENT: `options` are the arguments of the run; there they were dates computed from them.
  expect(ended.sync_job).toEqual({
    completed: true,
    data_source: expect.stringContaining(source.url) as string,
    end_time: expect.stringMatching(ISO) as string,
    id: ended.sync_id,
    options: `delta -n 1000 -c 1 --api_job_id ${id}`,
    start_time: expect.stringMatching(ISO) as string,
    target_datastore_url: expect.stringMatching(/^postgres(ql)?:\/\/<FILTERED>@/) as string,
    total_records: 0,
    type: 'delta',
    version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
    // Fields of ours beside those of the document.
    job_id: id,
    outside: false,
  });
  // DIFFERENT: an undeclared env is refused; there it was ignored.
  const elsewhere = SIX.replace('"qas"', '"tst"');
  expect(await user(`curl -X POST $URL/run ${JSON_AND_TOKEN} -d ${elsewhere}`)).toMatchObject({
    status: 422,
    body: { message: expect.stringContaining('env') as string },
  });
  const remove = await user(`curl -X POST $URL/delete/avo/qas -H "Authorization: Bearer $TOKEN"`);
  await until(jobIdOf(remove.body), 'completed');
  source.rows.delete('item-000');
  source.put({ id: 'item-001', updated_at: new Date().toISOString(), title: 'changed' });
  const diff = await user(`curl -X POST $URL/diff/avo/qas -H "Authorization: Bearer $TOKEN"`);
  const { steps } = (await until(jobIdOf(diff.body), 'completed')) as unknown as { steps: object[] };
  expect(steps).toMatchObject([
    { action: 'delta', progress: { updated: 1 } },
    { action: 'delete', progress: { deleted: 1 } },
  ]);
});

test('Examples: a job is cancelled midway', { timeout: 60_000 }, async () => {
  holdSource();
  const started = await user(`curl -X POST $URL/sync/avo/qas -H "Authorization: Bearer $TOKEN"`);
  const id = jobIdOf(started.body);
  await until(id, 'running');
  const answer = await user(`curl -X DELETE $URL/jobs/${id} -H "Authorization: Bearer $TOKEN"`);
  // DIFFERENT: the status is `deleted` once no part of the job runs; until then it is `cancelling`.
  expect(answer).toMatchObject({
    status: 202,
    body: { id, status: 'cancelling', env: 'qas', target: 'avo' },
  });
  await until(id, 'deleted');
  expect(await system.live('avo')).toEqual([]);
  // DIFFERENT: a finished job stays unchanged; there DELETE rewrote it.
  const again = await user(`curl -X DELETE $URL/jobs/${id} -H "Authorization: Bearer $TOKEN"`);
  expect(again).toMatchObject({ status: 200, body: { id, status: 'deleted' } });
  release?.();
});

test('Complete run with progress checking', { timeout: 90_000 }, async () => {
  holdSource();
  const started = await user(`curl -X POST $URL/sync/avo/qas -H "Authorization: Bearer $TOKEN"`);
  const id = jobIdOf(started.body);
  expect(started.body).toEqual({
    ACTION: 'sync',
    ACTION_NAME: 'sync',
    ENV: 'qas',
    IS_TAG: 'latest',
    OPTIONS: `-n 1000 -c 1 --api_job_id ${id}`,
    TARGET: 'avo',
    deduplicated: false,
    job_id: id,
    result: 'starting',
  });
  await until(id, 'running');
  await expect.poll(async () => (await job(id)).sync_id, { timeout: 20_000 }).not.toBeNull();
  // DIFFERENT: times are ISO 8601 in UTC; there they were RFC 1123, some of them local time labelled GMT.
  expect(await job(id)).toMatchObject({
    created_at: expect.stringMatching(ISO) as string,
    env: 'qas',
    id,
    job_type: 'sync',
    sync_job: { completed: null, end_time: null, type: 'sync', total_records: 0 },
    target: 'avo',
  });
  // The same request while it runs finds the same job; another action is refused, naming the holder.
  const twin = await user(`curl -X POST $URL/sync/avo/qas -H "Authorization: Bearer $TOKEN"`);
  expect(twin).toMatchObject({ status: 200, body: { job_id: id, result: 'starting', deduplicated: true } });
  const other = await user(`curl -X POST $URL/delta/avo/qas -H "Authorization: Bearer $TOKEN"`);
  // DIFFERENT: there it was started beside the sync.
  expect(other.status).toBe(409);
  expect(other.text).toContain(`job ${id}`);
  release?.();
  const ended = await until(id, 'completed');
  expect(ended.sync_job).toMatchObject({
    completed: true,
    data_source: expect.stringContaining(source.url) as string,
    end_time: expect.stringMatching(ISO) as string,
    id: ended.sync_id,
    start_time: expect.stringMatching(ISO) as string,
    target_datastore_url: expect.stringMatching(/^postgres(ql)?:\/\/<FILTERED>@/) as string,
    total_records: source.rows.size,
    type: 'sync',
  });
  const next = await user(`curl -X POST $URL/sync/avo/qas -H "Authorization: Bearer $TOKEN"`);
  expect(next.status).toBe(202);
  expect(jobIdOf(next.body)).toBeGreaterThan(id);
  await until(jobIdOf(next.body), 'completed');
  // DIFFERENT: one call restores what the last sync replaced.
  const back = await user(`curl -X POST $URL/rollback/avo/qas -H "Authorization: Bearer $TOKEN"`);
  await until(jobIdOf(back.body), 'completed');
});

test('If anything goes wrong the status is failed, with the reason', { timeout: 60_000 }, async () => {
  source.bend = () => new Response('no', { status: 404 });
  const started = await user(`curl -X POST $URL/delta/avo/qas -H "Authorization: Bearer $TOKEN"`);
  const failed = await until(jobIdOf(started.body), 'failed');
  expect(failed).toMatchObject({ diagnosis: { detail: expect.stringContaining('answered 404') as string } });
  // DIFFERENT: the document says that it may be deleted; here it stays unchanged, and blocks nobody.
  const deleted = await user(`curl -X DELETE $URL/jobs/${failed.id} -H "Authorization: Bearer $TOKEN"`);
  expect(deleted).toMatchObject({ status: 200, body: { status: 'failed' } });
  source.bend = null;
  const again = await user(`curl -X POST $URL/delta/avo/qas -H "Authorization: Bearer $TOKEN"`);
  await until(jobIdOf(again.body), 'completed');
  // An unconfigured target fails too, naming the place of its settings; the predecessor's job stayed `starting`.
  const other = await user(`curl -X POST $URL/sync/avo/prd -H "Authorization: Bearer $TOKEN"`);
  expect(await until(jobIdOf(other.body), 'failed')).toMatchObject({
    diagnosis: { code: 'not_configured', detail: expect.stringContaining('prd-avo.env') as string },
  });
});

test('GET /sync_jobs has the runs of cron beside ours', async () => {
  const begun = await user(
    `curl -X POST $URL/sync_jobs ${JSON_AND_TOKEN} -d '{"type": "delta", "data_source": "mam harvester-AvO",
      "options": "[\\"2020-05-19T00:00:00Z\\", \\"2020-05-21\\"]", "version": "2.4.0",
      "target_datastore_url": "postgres://avo:secret@postgresql-qas.sc-avo2.svc:5432/avo_qas"}'`,
  );
  expect(begun).toMatchObject({ status: 201, body: { completed: null, outside: true, job_id: null } });
  const { id } = begun.body as { id: number };
  await user(
    `curl -X PUT $URL/sync_jobs/${id} ${JSON_AND_TOKEN} -d '{"completed": true, "total_records": 20, "end_time": "2026-05-20T18:28:13Z"}'`,
  );
  const [newest, ...ours] = (await user('curl $URL/sync_jobs')).body as Record<string, unknown>[];
  expect(newest).toMatchObject({
    id,
    completed: true,
    end_time: '2026-05-20T18:28:13.000Z',
    options: '["2020-05-19T00:00:00Z", "2020-05-21"]',
    target_datastore_url: 'postgres://<FILTERED>@postgresql-qas.sc-avo2.svc:5432/avo_qas',
    total_records: 20,
    type: 'delta',
    version: '2.4.0',
  });
  expect(ours.length).toBeGreaterThan(3);
  expect(ours.every((one) => one['outside'] === false)).toBe(true);
  // It is a record: it locks nothing.
  const started = await user(`curl -X POST $URL/delta/avo/qas -H "Authorization: Bearer $TOKEN"`);
  expect(started.status).toBe(202);
  await until(jobIdOf(started.body), 'completed');
});

test('GET /jobs lists them all, newest first, by pages', async () => {
  const all = (await user('curl $URL/jobs')).body as Job[];
  const ids = all.map(({ id }) => id);
  expect(ids).toEqual(ids.toSorted((one, other) => other - one));
  expect((await user('curl "$URL/jobs?page=2"')).body).toEqual([]);
  expect(new Set(all.map(({ status }) => status))).toEqual(new Set(['completed', 'failed', 'deleted']));
});
