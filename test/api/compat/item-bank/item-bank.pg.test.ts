/** The item bank's routes: its predecessor's two paths, and GitLab's hooks. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { faultOfNamedTargets } from '../../../../src/api/compat/declared-targets.ts';
import { pushEvent } from '../../../support/gitlab/gitlab.ts';
import { type Api, claimed, setup } from '../../support.ts';

const SECRET = 'a-hook-secret-of-the-tests';
const FILES = {
  'prd/bank-sync': ['TARGET=item_bank', 'ACTION=sync'],
  'prd/bank-delta': ['TARGET=item_bank', 'ACTION=delta'],
  'prd/half-sync': ['TARGET=half', 'ACTION=sync'],
};

let api: Api;
let bare: Api;
beforeAll(async () => {
  api = await setup({ files: FILES, env: { ITEM_BANK: 'bank/prd', GITLAB_HOOK_SECRET: SECRET } });
  bare = await setup();
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await bare[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await sql`TRUNCATE jobs, idempotency_keys, targets, sync_jobs, wanted CASCADE`.execute(api.db);
});

const hook = (json: unknown, headers: Record<string, string> = { 'x-gitlab-token': SECRET }, at: Api = api) =>
  at.call('POST', '/hooks/gitlab', { json, headers, token: null });
const wanted = async () =>
  (
    await api.db
      .selectFrom('wanted_items')
      .select(['env', 'target', 'action', 'item'])
      .orderBy('item')
      .execute()
  ).map(({ env, target, action, item }) => `${action}/${target}/${env} ${item}`);

describe('POST /sync', () => {
  it('it starts the sync of the target that ITEM_BANK names', async () => {
    const answer = await api.call('POST', '/sync');
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({
      ACTION: 'sync',
      TARGET: 'item_bank',
      ENV: 'prd',
      deduplicated: false,
    });
    expect(answer.headers.get('location')).toBe(`/jobs/${answer.body.job_id}`);
  });

  it.each([
    ['/sync', '/sync'],
    ['/sync', '/sync/17'],
    ['/sync/17', '/sync'],
    ['/sync/17', '/sync/17'],
    ['/delta/bank/prd', '/sync'],
  ])('while %s runs, %s is refused, naming the job', async (first, second) => {
    const { body: holder } = await api.call('POST', first);
    const answer = await api.call('POST', second);
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({ code: 'busy', holder: { id: holder.job_id, status: 'queued' } });
    expect(answer.headers.get('location')).toBe(`/jobs/${holder.job_id}`);
  });

  it('a repeated Idempotency-Key gets the same answer', async () => {
    const headers = { 'idempotency-key': 'nightly' };
    const first = await api.call('POST', '/sync', { headers });
    const again = await api.call('POST', '/sync', { headers });
    expect([again.status, again.body.job_id]).toEqual([202, first.body.job_id]);
  });

  it('a refused start may be repeated with its Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'until-it-works' };
    const { body: holder } = await api.call('POST', '/sync');
    expect((await api.call('POST', '/sync', { headers })).status).toBe(409);
    await api.call('DELETE', `/jobs/${holder.job_id}`);
    expect((await api.call('POST', '/sync', { headers })).status).toBe(202);
  });

  it('it needs a token, takes no body, and allows no other method', async () => {
    expect((await api.call('POST', '/sync', { token: null })).status).toBe(401);
    expect((await api.call('POST', '/sync', { json: { full: true } })).status).toBe(422);
    expect((await api.call('GET', '/sync')).status).toBe(405);
  });

  it('it is 404 without ITEM_BANK, and says so', async () => {
    for (const where of ['/sync', '/sync/17']) {
      const { status, body } = await bare.call('POST', where);
      expect([status, body.code]).toEqual([503, 'no_item_bank']);
      expect(body.detail).toContain('ITEM_BANK is not set');
    }
  });
});

describe('POST /sync/:item', () => {
  it('it starts the delta of that item only', async () => {
    const { status, body } = await api.call('POST', '/sync/1811');
    expect([status, body.ACTION, body.OPTIONS]).toEqual([
      202,
      'delta',
      `-n 1000 -c 1 --item 1811 --api_job_id ${body.job_id}`,
    ]);
    const job = await api.call('GET', `/jobs/${body.job_id}`);
    expect(job.body.parameters.options).toBe('-n 1000 -c 1 --item 1811');
  });

  it.each(['alpha', '0', '-1', '1.5', '17 ', '9'.repeat(17), '１７'])(
    'it refuses %j as an item',
    async (item) => {
      for (const at of [api, bare]) {
        const { status, body } = await at.call('POST', `/sync/${encodeURIComponent(item)}`);
        expect([status, body.code]).toEqual([404, 'unknown_item']);
        expect(body.detail).toContain('use POST /sync/<target>/<env>');
      }
    },
  );

  it('a start by target and environment works as before', async () => {
    const { status, body } = await api.call('POST', '/sync/alpha/dev');
    expect([status, body.TARGET]).toEqual([202, 'alpha']);
  });
});

describe('ITEM_BANK', () => {
  it.each([
    ['bank/prd', undefined],
    [
      'bank/qas',
      'ITEM_BANK=bank/qas needs qas/bank-sync.public_params and qas/bank-delta.public_params in job_params',
    ],
    ['half/prd', 'ITEM_BANK=half/prd needs prd/half-delta.public_params in job_params'],
  ])('%s: %s', (text, fault) => {
    const [name = '', env = ''] = text.split('/');
    const named = { itemBank: { name, env }, account: undefined };
    expect(faultOfNamedTargets(named, api.deps.params)).toBe(fault);
  });
});

describe("GitLab's hook", () => {
  it('a push to the default branch makes its item wanted, once however often the hook comes', async () => {
    for (let n = 0; n < 3; n += 1) {
      const answer = await hook(pushEvent({ id: 17 }));
      expect([answer.status, answer.body]).toEqual([202, { result: 'wanted', item: '17', why: null }]);
    }
    await hook(pushEvent({ id: 18, branch: 'master', defaultBranch: 'master' }));
    expect(await wanted()).toEqual(['delta/item_bank/prd 17', 'delta/item_bank/prd 18']);
  });

  it('every hook is answered and recorded, however many come at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) => hook(pushEvent({ id: 1 + (n % 50) }))),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(await wanted()).toHaveLength(50);
  });

  it('a hook is answered while a job runs, too', async () => {
    await claimed(api, '/sync/bank/prd');
    expect((await hook(pushEvent({ id: 17 }))).status).toBe(202);
    expect(await wanted()).toHaveLength(1);
  });

  it.each([
    [
      'a project created',
      { event_name: 'project_create', project_id: 74, path_with_namespace: 'item-bank/x' },
    ],
    ['a project moved', { event_name: 'project_transfer', project_id: 74 }],
    ['a project renamed', { event_name: 'project_rename', project_id: 74 }],
    ['a push without a default branch', { object_kind: 'push', project_id: 74, ref: 'refs/heads/main' }],
    [
      'a repository updated',
      {
        event_name: 'repository_update',
        project_id: 74,
        project: { default_branch: 'main' },
        refs: ['refs/heads/x', 'refs/heads/main'],
      },
    ],
  ])('a hook about %s makes the item wanted', async (_, event) => {
    expect((await hook(event)).body).toEqual({ result: 'wanted', item: '74', why: null });
  });

  it.each([
    ['another branch', pushEvent({ id: 17, branch: 'create_john' }), 'not a push to the default branch main'],
    [
      'a tag',
      { ...pushEvent({ id: 17 }), object_kind: 'tag_push', event_name: 'tag_push' },
      'tag_push changes no item',
    ],
    ['an issue', { object_kind: 'issue', project: { default_branch: 'main' } }, 'issue changes no item'],
    [
      'a project destroyed',
      { event_name: 'project_destroy', project_id: 17 },
      'only the action delete removes items',
    ],
    ['a user', { event_name: 'user_create', user_id: 41 }, 'user_create changes no item'],
    ['nothing', {}, 'an event without a name changes no item'],
  ])('a hook about %s changes nothing', async (_, event, why) => {
    const { status, body } = await hook(event);
    expect([status, body.result]).toEqual([202, 'ignored']);
    expect(body.why).toContain(why);
    expect(await wanted()).toEqual([]);
  });

  it.each([
    ['no project', { event_name: 'push', ref: 'refs/heads/main' }],
    ['a project that is not a number', { event_name: 'push', project_id: '17; --force-delete' }],
    ['a project below one', { event_name: 'push', project_id: 0 }],
    ['a list', [pushEvent({ id: 17 })]],
  ])('a hook with %s is malformed', async (_, event) => {
    const { status, body } = await hook(event);
    expect([status, body.code]).toEqual([400, 'malformed']);
    expect(await wanted()).toEqual([]);
  });

  const send = (body: string) =>
    api.call('POST', '/hooks/gitlab', { body, token: null, headers: { 'x-gitlab-token': SECRET } });

  it('a hook that is not JSON is malformed', async () => {
    for (const body of ['<xml>', '', '{', '{"event_name":"push"', '{"commits":["x","project_id":17}'])
      expect((await send(body)).status).toBe(400);
  });

  it('a hook may have as many files as GitLab sends; a larger one is refused', async () => {
    const files = Array<string>(2000).fill('x'.repeat(60));
    const commits = Array.from({ length: 20 }, () => ({ id: 'a"},\\', modified: files, project_id: 3 }));
    const { status, body } = await send(
      JSON.stringify({ padding: commits, ...pushEvent({ id: 9 }), commits }),
    );
    expect([status, body.result]).toEqual([202, 'wanted']);
    expect(await wanted()).toEqual(['delta/item_bank/prd 9']);
    const large = (bytes: number) => JSON.stringify({ ...pushEvent({ id: 10 }), x: 'x'.repeat(bytes) });
    expect((await send(large(24 * 1024 * 1024))).status).toBe(202);
    expect((await send(large(25 * 1024 * 1024))).status).toBe(413);
    // The needed part of it stays as small as any other body.
    expect((await send(JSON.stringify({ ref: 'x'.repeat(100_000), project_id: 1 }))).status).toBe(413);
  });

  it.each<[string, Record<string, string>]>([
    ['no secret', {}],
    ['an empty secret', { 'x-gitlab-token': '' }],
    ['another', { 'x-gitlab-token': `${SECRET}x` }],
    ['a part of the secret', { 'x-gitlab-token': SECRET.slice(0, -1) }],
    ['the secret as a bearer token', { authorization: `Bearer ${SECRET}` }],
  ])('a hook with %s is refused', async (_, headers) => {
    const { status, body, text } = await hook(pushEvent({ id: 17 }), headers);
    expect([status, body.code]).toEqual([401, 'wrong_hook_secret']);
    expect(text).not.toContain(SECRET);
    expect(await wanted()).toEqual([]);
  });

  it('the hook route is 404 without secret or bank, and says so', async () => {
    const without = await hook(pushEvent({ id: 17 }), { 'x-gitlab-token': SECRET }, bare);
    expect([without.status, without.body.code]).toEqual([503, 'no_hook_secret']);
    expect(without.body.detail).toContain('GITLAB_HOOK_SECRET');
    const app = { ...api.deps, config: { ...api.deps.config, itemBank: undefined } };
    const { createApp } = await import('../../../../src/api/app.ts');
    const answer = await createApp(app).request('/hooks/gitlab', {
      method: 'POST',
      headers: { 'x-gitlab-token': SECRET, 'content-type': 'application/json' },
      body: JSON.stringify(pushEvent({ id: 17 })),
    });
    expect([answer.status, ((await answer.json()) as any).code]).toEqual([503, 'no_item_bank']);
  });
});

describe('failed items', () => {
  const report = async (checkpoint: unknown) => {
    const job = await claimed(api, '/sync/bank/prd');
    const { token } = await job.begin();
    await api.call('PUT', `/jobs/${job.id}/report`, {
      token,
      json: { seq: 1, phase: 'updating', failed: 1, checkpoint },
    });
    return (await api.call('GET', `/jobs/${job.id}`)).body.failed_items;
  };

  it('failed items are shown with their reasons, without credentials, as many as a checkpoint can hold', async () => {
    const failed = Array.from({ length: 900 }, (_, n) => ({ id: String(n), why: 'commits: answered 500' }));
    failed[0] = { id: '0', why: 'asked https://user:secret@gitlab.test' };
    const shown = await report({ action: 'items', failed });
    expect(shown).toHaveLength(900);
    expect(shown[0]).toEqual({ id: '0', why: 'asked https://<FILTERED>@gitlab.test' });
    expect(shown[899]).toEqual(failed[899]);
  });

  it.each([
    ['none', { failed: [] }],
    ['something else', { failed: 'all items as failed' }],
    ['a value that is not a list', { failed: [1, 2] }],
    ['a text', 'page 7'],
  ])('no failed items are shown if the checkpoint has %s', async (_, checkpoint) => {
    expect(await report(checkpoint)).toEqual([]);
  });
});
