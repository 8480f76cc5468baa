/**
 * Moving from the Item Synchronization Process (IMRT): its document from top to bottom, command by command as a
 * user would type it, against the running product: api, worker, process runner, and a GitLab. Comments mark answers
 * that differ, which docs/migrating.md explains.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobJson } from '../../src/api/jobs/job-schema.ts';
import { readSupervisor } from '../../src/runner/process/run-folder.ts';
import { commandLine } from '../cli/support.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { type FakeGitlab, GROUP, startGitlab, TOKEN } from '../support/gitlab/gitlab.ts';
import { ADMIN_PASSWORD } from '../support/login.ts';
import { paramsFile } from '../support/params-files.ts';
import { startSystem, type System } from '../support/system.ts';
import { userShell } from './user-shell.ts';

const SECRET = 'a-hook-secret-of-the-tests';
const ITEMS = 130;

let gitlab: FakeGitlab;
let sink: TestDatabase;
let imrt: pg.Client;
let system: System;
let bearer = '';

beforeAll(async () => {
  gitlab = await startGitlab();
  gitlab.bank.fill(ITEMS);
  sink = await createDatabase({ migrated: false });
  imrt = new pg.Client({ connectionString: sink.url });
  await imrt.connect();
  const params = (action: string, more = '') =>
    paramsFile({ target: 'item_bank', action, options: '-c 8', command: null, more });
  // "Schedule to run at 9am UTC each day": a line of the params file replaces the whole CronJob.
  system = await startSystem({
    params: [params('sync', 'SCHEDULE=0 9 * * *\n'), params('delta'), params('delete'), params('diff')],
  });
  // There they are GITLAB_HOST, GITLAB_ACCESS_TOKEN, GITLAB_GROUP, GITLAB_WEBHOOK_URL.
  mkdirSync(path.join(system.dataDir, 'envtarget'), { recursive: true });
  writeFileSync(
    path.join(system.dataDir, 'envtarget/dev-item_bank.env'),
    `SOURCE=gitlab\nGITLAB_URL=${gitlab.url}\nGITLAB_TOKEN=${TOKEN}\nGITLAB_GROUP=${GROUP}\n` +
      `GITLAB_WEBHOOK_URL=${system.apiUrl}/hooks/gitlab\nGITLAB_HOOK_SECRET=${SECRET}\n` +
      `SINK=postgres\nSINK_URL=${sink.url}\nSINK_TABLE=item\n`,
  );
  await system.startApi({ ITEM_BANK: 'item_bank/dev', GITLAB_HOOK_SECRET: SECRET });
  await system.startWorker();
}, 120_000);
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  await imrt.end();
  await sink.drop();
  await gitlab.close();
});

const type = userShell(() => ({ URL: system.apiUrl, TOKEN: bearer, PASSWORD: ADMIN_PASSWORD }));

type Typed = { status: number; head: string; body: Record<string, unknown> };

/** A command of the document; `curl -i` shows the headers, too, as in the document. */
async function typed(command: string): Promise<Typed> {
  const { status, text } = await type(command);
  const [, head = '', rest = text] = /^(HTTP\/.*?)\r\n\r\n(.*)$/s.exec(text) ?? [];
  return { status, head, body: /^[[{]/.test(rest) ? (JSON.parse(rest) as Typed['body']) : { text: rest } };
}

const postSync = (item = '') => typed(`curl -i -X POST -H "Authorization: Bearer $TOKEN" "$URL/sync${item}"`);
const post = (route: string) => typed(`curl -i -X POST -H "Authorization: Bearer $TOKEN" "$URL${route}"`);
const get = (route: string) => typed(`curl -H "Authorization: Bearer $TOKEN" "$URL${route}"`);
const job = async (id: number) => (await get(`/jobs/${id}`)).body as unknown as JobJson;

async function ended(id: number): Promise<JobJson> {
  await expect
    .poll(async () => (await job(id)).status, { timeout: 60_000, interval: 200 })
    .toMatch(/^(completed|failed|deleted)$/);
  return await job(id);
}

async function stored(): Promise<Record<string, string>> {
  const { rows } = await imrt.query<{ id: string; sha: string }>(
    `SELECT id, record->'commit'->>'sha' AS sha FROM item`,
  );
  return Object.fromEntries(rows.map(({ id, sha }) => [id, sha]));
}

/** Holds a call back until it is released. */
function held(what: string): { reached: () => boolean; letGo: () => void } {
  const gate = Promise.withResolvers<undefined>();
  let reached = false;
  gitlab.bend = async (call) => {
    if (call.what !== what) return undefined;
    reached = true;
    return await gate.promise;
  };
  return {
    reached: () => reached,
    letGo: () => {
      gitlab.bend = null;
      gate.resolve(undefined);
    },
  };
}

describe('Configuration', () => {
  test('starting the service does not start the job, without any switch', async () => {
    const { rows } = await imrt.query(`SELECT to_regclass('item') AS item`);
    expect(rows).toEqual([{ item: null }]);
    expect(gitlab.calls).toEqual([]);
  });
});

describe('Execution', () => {
  test('a call without a token is refused, inside and outside Kubernetes (there: accepted from inside)', async () => {
    const { status, head } = await typed('curl -i -X POST "$URL/sync"');
    expect(status).toBe(401);
    expect(head).toMatch(/^www-authenticate: Bearer/im);
  });

  test('a bearer token comes from POST /login; the fields of OpenAM beside user and password are named as unknown', async () => {
    const form = `curl -i -X POST -H "Content-Type:application/x-www-form-urlencoded"`;
    const user = `-d "username=admin" --data-urlencode "password=$PASSWORD"`;
    const theirs = `-d "grant_type=password" ${user} -d "client_id=x" -d "client_secret=y"`;
    const refused = await typed(`${form} ${theirs} "$URL/login"`);
    expect(refused.status).toBe(422);
    expect(refused.body['detail']).toContain('grant_type');
    const { status, body } = await typed(`${form} ${user} "$URL/login"`);
    expect(status).toBe(200);
    // There 35,999 s and "Bearer", with scope and refresh_token; POST /login/renew replaces the latter.
    expect(body).toMatchObject({ token_type: 'bearer', expires_in: 899 });
    bearer = String(body['access_token']);
  });

  test('POST /sync starts it and returns at once: 202 with the job (there 204, then 200 with an execution id)', async () => {
    const gate = held('projects');
    const { status, head, body } = await postSync();
    expect(status).toBe(202);
    expect(body).toMatchObject({ ACTION: 'sync', TARGET: 'item_bank', ENV: 'dev', result: 'starting' });
    const id = Number(body['job_id']);
    expect(head).toContain(`location: /jobs/${id}`);

    // "There can only be one instance running at one time": the refusal names it and its address.
    await expect.poll(gate.reached, { timeout: 30_000 }).toBe(true);
    for (const item of ['', '/17']) {
      const again = await postSync(item);
      expect(again.status).toBe(409);
      expect(again.head).toContain(`location: /jobs/${id}`);
      expect(again.body).toMatchObject({ code: 'busy', holder: { id, action: 'sync', status: 'running' } });
    }
    gate.letGo();
    const done = await ended(id);
    // Completed means imported (there: that the messages were queued).
    expect(done).toMatchObject({
      status: 'completed',
      progress: { records_done: ITEMS, records_total: ITEMS, added: ITEMS, failed: 0 },
      failed_items: [],
    });
    expect(await stored()).toEqual(gitlab.bank.latest());
    // "Determine if the item has a project webhook created. If not …"
    for (const { hooks } of gitlab.bank.projects.values())
      expect(hooks).toMatchObject([{ url: `${system.apiUrl}/hooks/gitlab`, token: SECRET }]);
  });

  test('a second run creates no second webhook and applies only new commits, oldest first', async () => {
    const [first] = gitlab.bank.history(5);
    const second = gitlab.bank.commit(5, { item: 5, revision: 2 });
    const third = gitlab.bank.commit(5, { item: 5, revision: 3 });
    const posts = gitlab.count('hooks', 'POST');
    const done = await ended(Number((await postSync()).body['job_id']));
    expect(done).toMatchObject({ status: 'completed', progress: { added: 0, updated: 1 } });
    expect(gitlab.count('hooks', 'POST')).toBe(posts);
    const { rows } = await imrt.query<{ sha: string }>(
      `SELECT sha FROM syncrator.item_revisions WHERE item = '5' ORDER BY applied_at`,
    );
    expect(rows.map(({ sha }) => sha)).toEqual([first?.sha, second.sha, third.sha]);
  });

  test('POST /sync/{itemId} imports one item', async () => {
    gitlab.bank.commit(6, { item: 6, revision: 2 });
    gitlab.bank.commit(7, { item: 7, revision: 2 });
    const { status, body } = await postSync('/6');
    expect(status).toBe(202);
    expect((await ended(Number(body['job_id']))).progress).toMatchObject({ records_total: 1, updated: 1 });
    const { 6: sixth, 7: seventh } = await stored();
    expect(sixth).toBe(gitlab.bank.latest()['6']);
    expect(seventh).not.toBe(gitlab.bank.latest()['7']);
    expect((await postSync('/item_bank')).body['detail']).toContain('use POST /sync/<target>/<env>');
  });

  test("GitLab's hooks import an item by themselves; 200 at once lead to a few jobs of just these items", async () => {
    const jobsOf = async () =>
      await system.db.selectFrom('jobs').selectAll().where('trigger', '=', 'hook').orderBy('id').execute();
    const pushes = Array.from({ length: 200 }, (_, n) =>
      gitlab.push(10 + (n % 20), { item: n, pushed: true }),
    );
    const answers = (await Promise.all(pushes)).flatMap(({ deliveries }) => deliveries);
    expect(answers).toHaveLength(200);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    const isUpToDate = async () => {
      const [have, latest] = [await stored(), gitlab.bank.latest()];
      return Array.from({ length: 20 }, (_, n) => String(10 + n)).every((id) => have[id] === latest[id]);
    };
    await expect.poll(isUpToDate, { timeout: 60_000, interval: 500 }).toBe(true);
    const started = await jobsOf();
    expect(started.length).toBeLessThanOrEqual(3);
    for (const { id } of started) expect((await ended(id)).progress?.records_total).toBeLessThanOrEqual(20);
    // Hooks with another secret, or for a branch without items, do nothing.
    const hook = { url: `${system.apiUrl}/hooks/gitlab`, token: 'guessed-by-somebody' };
    expect((await gitlab.deliver(hook, 'Push Hook', { event_name: 'push', project_id: 1 })).status).toBe(401);
    await gitlab.push(30, { item: 30 }, { branch: 'create_john' });
    const open = async () => (await system.db.selectFrom('wanted').selectAll().execute()).length;
    await expect.poll(open, { timeout: 30_000 }).toBe(0);
    expect((await jobsOf()).length).toBe(started.length);
  });
});

describe('Automating', () => {
  test('the nightly run is a line of the params file, and can be started now', async () => {
    const { body } = await get('/schedules');
    const [schedule] = body['schedules'] as { id: string; schedule: string; next: string[] }[];
    expect(schedule).toMatchObject({ id: 'dev.item_bank.sync' });
    expect(JSON.stringify(schedule)).toMatch(/T09:00:00\.000Z/);
    const now = await post(`/schedules/dev.item_bank.sync/run`);
    expect(now.status).toBe(202);
    const [latest] = (await get('/jobs?limit=1')).body as unknown as JobJson[];
    expect((await ended(latest?.id ?? 0)).status).toBe('completed');
  });
});

describe('Monitoring', () => {
  test('the job is in the list, and its log takes one call (there: find the pod, then kubectl logs)', async () => {
    const jobs = (await get('/jobs?target=item_bank&operation=sync')).body as unknown as JobJson[];
    const { id } = jobs.at(-1) as JobJson;
    const plain = String((await get(`/jobs/${id}/logs`)).body['text']);
    expect(plain).toMatch(/syncrator-job \S+: sync -c 8 --api_job_id \d+ trace_id=[0-9a-f]{32}\n/);
    expect(plain).toContain(`${gitlab.url}/${GROUP} -> `);
    expect(plain).toContain(`items: ${ITEMS} added`);
    // `kubectl logs -f`: as it grows, to its end.
    const followed = String((await get(`/jobs/${id}/logs?follow`)).body['text']);
    expect(followed).toContain(`items: ${ITEMS} added`);
    expect(followed).toMatch(/event: end\ndata: \{"status":"completed"\}\s*$/);
    expect(plain).not.toContain(TOKEN);
    expect(plain).not.toContain(SECRET);
  });

  test('more detail is an option of the job (there: DEBUG of the service)', async () => {
    gitlab.bank.commit(8, { item: 8, revision: 2 });
    const run = {
      target: 'item_bank',
      env: 'dev',
      action_name: 'sync',
      action: 'sync',
      is_tag: 'latest',
      options: '-c 8 --debug',
    };
    const { body } = await system.call('POST', '/run', run);
    await ended(Number(body['job_id']));
    const log = String((await get(`/jobs/${Number(body['job_id'])}/logs`)).body['text']);
    expect(log).toContain('item 8: updated');
  });
});

describe('Troubleshooting', () => {
  test('a run killed midway fails by itself and is resumed by one call; no SQL, no stale "in progress"', async () => {
    for (let id = 101; id <= ITEMS; id += 1) gitlab.bank.commit(id, { item: id, revision: 2 });
    const gate = held('raw');
    const id = Number((await postSync()).body['job_id']);
    await expect.poll(gate.reached, { timeout: 30_000 }).toBe(true);
    const step = (await job(id)).steps[0]?.name ?? '';
    const supervisor = await readSupervisor(path.join(system.dataDir, 'runs', step));
    process.kill(-(supervisor?.pid ?? Number.NaN), 'SIGKILL');
    const failed = await ended(id);
    expect(failed).toMatchObject({ status: 'failed', diagnosis: { code: 'job_disappeared' } });
    gate.letGo();
    gitlab.calls.length = 0;
    const resumed = await post(`/jobs/${id}/resume`);
    expect(resumed).toMatchObject({ status: 202, body: { resumes: id } });
    expect((await ended(Number(resumed.body['id']))).status).toBe('completed');
    expect(await stored()).toEqual(gitlab.bank.latest());
    // The first page was done, and its checkpoint was stored.
    expect(gitlab.calls.filter(({ project }) => project !== null && project <= 100)).toEqual([]);
  });

  test('failed items are listed with their reasons, and a resume processes only them', async () => {
    for (const id of [3, 44]) gitlab.bank.commit(id, { item: id, revision: 9 });
    gitlab.bend = ({ what, project }) =>
      what === 'raw' && project === 44 ? new Response('', { status: 500 }) : undefined;
    const id = Number((await postSync()).body['job_id']);
    const failed = await ended(id);
    expect(failed).toMatchObject({
      status: 'failed',
      diagnosis: {
        code: 'items_failed',
        detail: expect.stringContaining('44 (item.json: answered 500)') as string,
      },
      progress: { failed: 1, updated: 1 },
      failed_items: [{ id: '44', why: 'item.json: answered 500' }],
    });
    const { login, syncrator } = commandLine({ home: system.dataDir, url: () => system.apiUrl });
    await login();
    expect((await syncrator(['jobs', 'show', String(id)])).stdout).toMatch(
      /failed items +1: 44 \(item\.json: answered 500\)\n/,
    );
    gitlab.bend = null;
    gitlab.calls.length = 0;
    const resumed = await post(`/jobs/${id}/resume`);
    const done = await ended(Number(resumed.body['id']));
    expect(done).toMatchObject({
      status: 'completed',
      failed_items: [],
      progress: { updated: 1, failed: 0 },
    });
    expect(new Set(gitlab.calls.map(({ project }) => project))).toEqual(new Set([44]));
    expect(await stored()).toEqual(gitlab.bank.latest());
  });

  test('only a delete, under its guard, removes items that are gone upstream', async () => {
    for (const id of [1, 2]) gitlab.bank.projects.delete(id);
    await ended(Number((await postSync()).body['job_id']));
    expect(Object.keys(await stored())).toHaveLength(ITEMS);
    const { body } = await system.call('POST', '/delete/item_bank/dev');
    expect(await ended(Number(body['job_id']))).toMatchObject({
      status: 'completed',
      progress: { deleted: 2 },
    });
    expect(await stored()).toEqual(gitlab.bank.latest());
  });

  test('DELETE /jobs/:id replaces PUT /abandon, and a rollback goes back to before the last sync', async () => {
    gitlab.bank.commit(9, { item: 9, revision: 2 });
    const gate = held('raw');
    const id = Number((await postSync()).body['job_id']);
    await expect.poll(gate.reached, { timeout: 30_000 }).toBe(true);
    const cancelled = await typed(`curl -i -X DELETE -H "Authorization: Bearer $TOKEN" "$URL/jobs/${id}"`);
    expect(cancelled.status).toBe(202);
    expect((await ended(id)).status).toBe('deleted');
    gate.letGo();
    const { body } = await system.call('POST', '/rollback/item_bank/dev');
    expect(await ended(Number(body['job_id']))).toMatchObject({ status: 'completed' });
  });
});

test('an ITEM_BANK that job_params does not declare keeps the api from starting, and is named', async () => {
  await expect(system.startApi({ ITEM_BANK: 'item_bank/qas', PORT: '0' })).rejects.toThrow(
    'ITEM_BANK=item_bank/qas needs qas/item_bank-sync.public_params and qas/item_bank-delta.public_params in job_params',
  );
});
