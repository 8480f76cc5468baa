/**
 * microdata-job-service's README from top to bottom, as its users and its executor call it, against the real api
 * and worker. Lines with DIFFERENT mark deliberate differences, which docs/migrating.md explains.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { paramsFile } from '../support/params-files.ts';
import { AUDIENCE, type OidcIssuer, startOidcIssuer } from '../support/oidc-issuer.ts';
import { startSystem, type System } from '../support/system.ts';
import { userShell } from './user-shell.ts';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const input = mkdtempSync(path.join(os.tmpdir(), 'syncrator-input-'));
const OPERATIONS = ['ADD', 'CHANGE', 'PATCH_METADATA', 'SET_STATUS', 'DELETE_DRAFT', 'REMOVE'];
const FURTHER = ['ROLLBACK_REMOVE', 'DELETE_ARCHIVE'];

let system: System;
let issuer: OidcIssuer;
let token: string;
const user = userShell(() => ({ URL: system.apiUrl, TOKEN: token, INPUT: input }));
const AUTH = '-H "Authorization: Bearer $TOKEN"';
const JSON_BODY = `-H 'Content-Type: application/json' ${AUTH}`;

/** The params files of microdata: any dataset by a pattern, the datastore by its name. */
const declared = [
  ...[...OPERATIONS, ...FURTHER].map((operation) =>
    paramsFile({
      target: 'datasets',
      action: operation,
      command: null,
      more: `RUNNER=external\nTARGET_PATTERN=[A-Z][A-Z0-9_]*\nPARAMETERS=${operation}\n`,
    }),
  ),
  paramsFile({
    target: 'datastore',
    action: 'BUMP',
    command: null,
    more: 'RUNNER=external\nPARAMETERS=BUMP\n',
  }).map((text) => text.replace('TARGET=datastore', 'TARGET=DATASTORE')) as [string, string],
  paramsFile({ target: 'ours', action: 'sync', options: '--mute' }),
];

beforeAll(async () => {
  issuer = await startOidcIssuer();
  system = await startSystem({ params: declared });
  await Promise.all([
    system.startApi({
      PUBLIC_READS: 'true',
      INPUT_DIR: input,
      OIDC_ISSUER: issuer.issuer,
      OIDC_AUDIENCE: AUDIENCE,
      JWKS_URL: issuer.jwksUrl,
      LOCAL_LOGIN: 'false',
      OIDC_ROLES: 'role/dataadministrator=admin',
    }),
    system.startWorker(),
  ]);
  // DIFFERENT: one bearer token instead of two cookies, from the issuer whose keys are at JWKS_URL.
  token = await issuer.token({
    sub: 'c1b4a3d0-0000-4000-8000-000000000001',
    name: 'Kari Nordmann',
    role: 'role/dataadministrator',
  });
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
  rmSync(input, { recursive: true, force: true });
});

type Entry = { status: string; msg: string; job_id?: number };
type Job = { id: number; [field: string]: unknown };

const post = async (...jobs: object[]) => {
  const body = JSON.stringify({ jobs });
  return await user(`curl -X POST $URL/jobs ${JSON_BODY} -d '${body}'`);
};
const entries = async (...jobs: object[]) => (await post(...jobs)).body as Entry[];
const list = async (query: string) => (await user(`curl "$URL/jobs${query}"`)).body as Job[];
const put = (id: number, body: object) =>
  user(`curl -X PUT $URL/jobs/${id} ${JSON_BODY} -d '${JSON.stringify(body)}'`);
const targetsOf = (jobs: Job[]) => jobs.map((job) => String(job['target'])).toSorted();

test('[POST] /jobs: an answer for each item, and a wrong item does not affect the others', async () => {
  const answer = await post({ operation: 'ADD', target: 'INCOME' }, { target: 'INCOME_2' });
  expect(answer).toMatchObject({
    status: 200,
    body: [
      { job_id: expect.any(Number) as number, status: 'CREATED', msg: 'OK' },
      { status: 'FAILED', msg: expect.stringMatching(/operation/i) as string },
    ],
  });
  // Every call needs a token; a batch is refused as a whole only if it is not a list of jobs.
  expect((await user(`curl -X POST $URL/jobs -d '{"jobs": []}'`)).status).toBe(401);
  expect((await user(`curl -X POST $URL/jobs ${JSON_BODY} -d '{"job": 1}'`)).status).toBe(422);
});

test('calls typed as in the document, without a content type, are told which header is missing', async () => {
  // DIFFERENT: curl sends a form type by default, and foreign pages can send forms.
  for (const command of [
    `-X POST $URL/jobs -d '{"jobs": [{}, {}]}'`,
    `-X PUT $URL/jobs/1 -d '{"status": "failed", "log": "Unexpected failure"}'`,
    `-X POST $URL/maintenance-status -d '{"msg": "We need to upgrade", "pause": 1}'`,
  ])
    expect(await user(`curl ${AUTH} ${command}`)).toMatchObject({
      status: 415,
      body: { message: expect.stringContaining('Content-Type: application/json') as string },
    });
  // DIFFERENT: the document's answer does not name the job.
  const nameless = `curl ${JSON_BODY} -X PUT $URL/jobs -d '{"status": "failed", "log": "Unexpected failure"}'`;
  expect((await user(nameless)).status).toBe(405);
});

test('There can only be one active import job for a given dataset', async () => {
  const [taken, other] = await entries(
    { operation: 'CHANGE', target: 'INCOME' },
    { operation: 'REMOVE', target: 'AGE', description: 'Wrong' },
  );
  expect(taken).toEqual({ status: 'FAILED', msg: expect.stringMatching(/held by job \d+/) as string });
  expect(other).toMatchObject({ status: 'CREATED' });
});

test('[GET] /jobs by status, operation and ignoreCompleted', async () => {
  await entries({ operation: 'SET_STATUS', target: 'SEX', releaseStatus: 'PENDING_RELEASE' });
  expect(targetsOf(await list('?status=queued&operation=ADD,REMOVE'))).toEqual(['AGE', 'INCOME']);
  // The executor's three queries; a repeated parameter counts as a list.
  expect(targetsOf(await list('?status=queued&operation=PATCH_METADATA,ADD,CHANGE'))).toEqual(['INCOME']);
  expect(targetsOf(await list('?status=queued&operation=SET_STATUS&operation=REMOVE'))).toEqual([
    'AGE',
    'SEX',
  ]);
  expect(await list('?status=built')).toEqual([]);
  // DIFFERENT: the fault names the parameter, and a status nobody uses is no fault (executors have their own words).
  expect(await user('curl "$URL/jobs?ignoreCompleted=perhaps"')).toMatchObject({
    status: 400,
    body: { message: expect.stringContaining('ignoreCompleted') as string },
  });
});

test('[GET] /jobs/<jobId>', async () => {
  const [income] = await list('?operation=ADD');
  // DIFFERENT: the job itself, where the document has {"message": "OK"}; snake_case; UTC; the caller's name.
  expect(await user(`curl $URL/jobs/${income?.id}`)).toMatchObject({
    status: 200,
    body: {
      id: income?.id,
      target: 'INCOME',
      action: 'ADD',
      status: 'queued',
      runner: 'external',
      requested_by: expect.stringContaining('(Kari Nordmann)') as string,
      created_at: expect.stringMatching(ISO) as string,
    },
  });
  expect(await user('curl $URL/jobs/999999')).toMatchObject({
    status: 404,
    body: { message: 'there is no job 999999' },
  });
});

test('[PUT] /jobs/<jobId>: the executor reports its work, and no worker touches the job', async () => {
  const [income] = await list('?operation=ADD');
  const id = income?.id ?? 0;
  for (const status of ['initiated', 'validating', 'decrypting', 'transforming', 'pseudonymizing'])
    expect(await put(id, { status })).toMatchObject({
      status: 200,
      body: { status: 'running', phase: status },
    });
  expect(targetsOf(await list('?status=pseudonymizing'))).toEqual(['INCOME']);
  expect((await put(id, { description: 'Income of 2026' })).body).toMatchObject({
    description: 'Income of 2026',
  });
  expect((await put(id, {})).status).toBe(422);
  await put(id, { status: 'built' });
  expect(targetsOf(await list('?status=built'))).toEqual(['INCOME']);
  const failed = await put(id, { status: 'failed', log: 'Unexpected failure' });
  expect(failed).toMatchObject({
    status: 200,
    body: {
      status: 'failed',
      diagnosis: { detail: expect.stringContaining('Unexpected failure') as string },
    },
  });
  const { text } = await user(`curl $URL/jobs/${id}/logs`);
  expect(text).toContain('Set status: validating');
  expect(text).toContain('Added update description');
  expect(text).toContain('Unexpected failure');
  // DIFFERENT: an ended job cannot be changed: 409; there it was 404 or 500.
  expect((await put(id, { status: 'queued' })).status).toBe(409);
  expect(targetsOf(await list('?ignoreCompleted=True'))).toEqual(['AGE', 'SEX']);
  expect((await entries({ operation: 'ADD', target: 'INCOME' }))[0]).toMatchObject({ status: 'CREATED' });
});

function tarOf(name: string, files: readonly string[]): void {
  const from = mkdtempSync(path.join(os.tmpdir(), 'syncrator-files-'));
  for (const file of files) {
    mkdirSync(path.dirname(path.join(from, file)), { recursive: true });
    writeFileSync(path.join(from, file), 'x');
  }
  execFileSync('tar', ['-cf', path.join(input, `${name}.tar`), '-C', from, '.']);
  rmSync(from, { recursive: true, force: true });
}

test('[GET] and [DELETE] /importable-datasets', async () => {
  tarOf('MY_DATASET', ['chunks/1']);
  tarOf('OTHER', ['OTHER.json', 'chunks/1']);
  writeFileSync(path.join(input, 'BROKEN.tar'), 'no tar at all');
  const listed = await user('curl -X GET $URL/importable-datasets');
  expect(listed.status).toBe(200);
  expect(listed.body).toEqual([
    expect.objectContaining({ datasetName: 'MY_DATASET', hasMetadata: false, hasData: true }),
    expect.objectContaining({ datasetName: 'OTHER', hasMetadata: true, hasData: true }),
  ]);
  const deleted = `curl -X DELETE $URL/importable-datasets/MY_DATASET ${AUTH}`;
  expect(await user(deleted)).toMatchObject({ status: 200, body: { message: 'OK, MY_DATASET deleted' } });
  expect((await user(deleted)).status).toBe(404);
  expect((await user(`curl --path-as-is -X DELETE $URL/importable-datasets/..%2Fx ${AUTH}`)).status).toBe(
    400,
  );
  // DIFFERENT: it needs a token.
  expect((await user('curl -X DELETE $URL/importable-datasets/OTHER')).status).toBe(401);
});

test('[GET] /targets and /targets/<name>/jobs, BUMP jobs that name the target included', async () => {
  const [bump] = await entries({
    operation: 'BUMP',
    target: 'DATASTORE',
    description: 'Spring',
    bumpFromVersion: '1.0.0.0',
    bumpToVersion: '1.1.0.0',
    bumpManifesto: {
      version: '1.1.0.0',
      description: 'Spring',
      releaseTime: 1_790_000_000,
      languageCode: 'no',
      updateType: null,
      dataStructureUpdates: [
        { name: 'SEX', description: 'New', operation: 'ADD', releaseStatus: 'PENDING_RELEASE' },
        { name: 'AGE', description: 'Later', operation: 'ADD', releaseStatus: 'DRAFT' },
      ],
    },
  });
  expect(bump).toMatchObject({ status: 'CREATED' });
  // DIFFERENT: the state of each target by environment; its jobs are its history.
  const all = (await user('curl $URL/targets')).body as { name: string; environments: object[] }[];
  expect(all.map(({ name }) => name)).toEqual(['AGE', 'DATASTORE', 'INCOME', 'SEX', 'ours']);
  expect(all.find(({ name }) => name === 'SEX')?.environments).toMatchObject([
    { env: 'dev', active_job: { status: 'queued' }, last_success_at: null },
  ]);
  const ofSex = (await user('curl -X GET $URL/targets/SEX/jobs')).body as Job[];
  expect(ofSex.map((job) => job['action'])).toEqual(['BUMP', 'SET_STATUS']);
  const ofIncome = (await user('curl -X GET $URL/targets/INCOME/jobs')).body as Job[];
  expect(ofIncome.map((job) => job['action'])).toEqual(['ADD', 'ADD']);
});

test('[POST] and [GET] /maintenance-status, and /maintenance-history', { timeout: 60_000 }, async () => {
  const paused = await user(
    `curl -X POST $URL/maintenance-status ${JSON_BODY} -d '{"msg": "We need to upgrade", "pause": 1}'`,
  );
  expect(paused).toMatchObject({ status: 200, body: { msg: 'We need to upgrade', paused: true } });
  expect((await user('curl -X GET $URL/maintenance-status')).body).toMatchObject({
    msg: 'We need to upgrade',
    paused: true,
  });
  // The flag holds jobs back: they are accepted, and wait.
  const [held] = await entries({ operation: 'sync', target: 'ours' });
  expect((await user(`curl $URL/jobs/${held?.job_id}`)).body).toMatchObject({
    status: 'waiting',
    status_reason: 'maintenance',
  });
  await user(`curl -X POST $URL/maintenance-status ${JSON_BODY} -d '{"msg": "Upgraded", "paused": false}'`);
  await system.until(held?.job_id ?? 0, 'completed');
  const history = (await user('curl -X GET $URL/maintenance-history')).body as { msg: string }[];
  expect(history.slice(0, 2).map(({ msg }) => msg)).toEqual(['Upgraded', 'We need to upgrade']);
  expect((await user(`curl -X POST $URL/maintenance-status ${JSON_BODY} -d '{"pause": 1}'`)).status).toBe(
    422,
  );
});
