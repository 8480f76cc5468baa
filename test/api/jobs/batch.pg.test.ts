/** Many jobs at once, the operations of the microdata executors, and their targets. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Api, MICRODATA, setup } from '../support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup({ files: MICRODATA });
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  await sql`TRUNCATE jobs, idempotency_keys, targets, sync_jobs CASCADE`.execute(api.db);
});

const post = (jobs: unknown, headers: Record<string, string> = {}) =>
  api.call('POST', '/jobs', { json: { jobs }, headers });
const ask = async (...jobs: unknown[]) => (await post(jobs)).body;
const show = async (id: number) => (await api.call('GET', `/jobs/${id}`)).body;
const ids = (body: { id: number }[]) => body.map((job) => job.id);
const complete = (id: number) => api.call('PUT', `/jobs/${id}`, { json: { status: 'completed' } });

const created = { status: 'CREATED', msg: 'OK', job_id: expect.any(Number) };
const failed = (msg: string | RegExp) => ({ status: 'FAILED', msg: expect.stringMatching(msg) });
const add = (target: string, more: object = {}) => ({ operation: 'ADD', target, ...more });

const bump = (...names: string[]) => ({
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
    dataStructureUpdates: names.map((name) => ({
      name,
      description: 'New',
      operation: 'ADD',
      releaseStatus: 'PENDING_RELEASE',
    })),
  },
});

describe('POST /jobs', () => {
  it('a batch creates jobs with their parameters frozen in the row', async () => {
    const items = [
      add('INCOME', { description: 'Of 2026' }),
      bump('INCOME'),
      { operation: 'sync', target: 'beta' },
    ];
    const { status, body } = await post(items);
    expect([status, body]).toEqual([200, [created, created, created]]);
    const [first, second, third] = await Promise.all(body.map((one: any) => show(one.job_id)));
    expect(first).toMatchObject({
      target: 'INCOME',
      env: 'dev',
      job_type: 'ADD',
      action: 'ADD',
      status: 'queued',
      runner: 'external',
      trigger: 'batch',
      requested_by: 'admin',
      description: 'Of 2026',
      parameters: { description: 'Of 2026' },
    });
    const { operation: _, target: __, ...given } = bump('INCOME');
    expect(second.parameters).toMatchObject(given);
    expect(third).toMatchObject({ target: 'beta', runner: 'process', trigger: 'batch', description: null });
    await api.call('PUT', `/jobs/${first.id}`, { json: { description: 'Of 2027' } });
    expect(await show(first.id)).toMatchObject({
      description: 'Of 2027',
      parameters: { description: 'Of 2026' },
    });
    const poked = api.deps.temporal.client.workflow.getHandle('syncrator/dev/beta');
    expect((await poked.describe()).status.name).toBe('RUNNING');
  });

  it('only the bad items are refused, in their places and with a message', async () => {
    const answer = await ask(
      { target: 'INCOME' },
      add('A'),
      'nonsense',
      null,
      [],
      add('income'),
      { operation: 'BURN', target: 'INCOME' },
      add('B', { colour: 'red' }),
      { operation: 'SET_STATUS', target: 'C' },
      { operation: 'SET_STATUS', target: 'C', releaseStatus: 'RELEASED' },
      { operation: 'REMOVE', target: 'C', env: 'dev' },
      { operation: 'REMOVE', target: 'C', env: 'prd', description: 'x' },
      { ...bump('C'), target: 'INCOME' },
      { ...bump('C'), bumpManifesto: { version: '1' } },
      { operation: 'sync', target: 'beta', options: '--debug' },
      { operation: 7, target: 'C' },
      { operation: 'SET_STATUS', target: 'C', releaseStatus: 'DRAFT' },
    );
    expect(answer).toEqual([
      failed(/^Missing operation$/),
      created,
      failed(/^the item must be an object/),
      failed(/^the item must be an object/),
      failed(/^the item must be an object/),
      failed(/^unknown target 'income'.*\/\[A-Z\]\[A-Z0-9_\]\*\//),
      failed(/^unknown operation 'BURN' of target 'INCOME'; known: ADD, REMOVE, SET_STATUS/),
      failed(/^colour: unknown field$/),
      failed(/^Missing releaseStatus$/),
      failed(/^releaseStatus: must be one of DRAFT, PENDING_RELEASE, PENDING_DELETE$/),
      failed(/^Missing description$/),
      failed(/^unknown env 'prd'; known: dev, qas/),
      failed(/^unknown operation 'BUMP' of target 'INCOME'/),
      failed(/^Missing bumpManifesto.description; Missing bumpManifesto.releaseTime/),
      failed(/^options: unknown field$/),
      failed(/^operation: /),
      created,
    ]);
    expect((await api.call('GET', '/jobs')).body).toHaveLength(2);
  });

  it('an item whose target has an active job, or comes twice in the batch, is refused with the holder', async () => {
    const { job_id: holder } = (await api.call('POST', '/delta/alpha/dev')).body;
    const [, one, two, three, other] = await ask(
      { operation: 'sync', target: 'beta' },
      { operation: 'delta', target: 'alpha', env: 'dev' },
      add('INCOME'),
      add('INCOME'),
      { operation: 'REMOVE', target: 'INCOME', description: 'x' },
    );
    const held = `target 'alpha' in env 'dev' is held by job ${holder} (delta, queued)`;
    expect(one).toEqual({ status: 'FAILED', msg: held });
    expect(two).toEqual(created);
    for (const refused of [three, other])
      expect(refused).toEqual(
        failed(`^target 'INCOME' in env 'dev' is held by job ${two.job_id} .ADD, queued.$`),
      );
    await complete(two.job_id);
    expect(await ask(add('INCOME'))).toEqual([created]);
  });

  it('an item needs an env only if more than one declares its target', async () => {
    expect(await ask({ operation: 'sync', target: 'alpha' })).toEqual([
      failed(/^env: must be given, since dev and qas declare it$/),
    ]);
    const [delta, video, byTarget] = await ask(
      { operation: 'delta', target: 'alpha' },
      { operation: 'sync', target: 'hetarchief_video' },
      { operation: 'sync', target: 'archiefvideo' },
    );
    expect((await show(delta.job_id)).env).toBe('dev');
    expect(await show(video.job_id)).toMatchObject({ env: 'qas', target: 'archiefvideo' });
    expect(byTarget).toEqual(failed(`held by job ${video.job_id}`));
  });

  it('a batch has at most a hundred items', async () => {
    const many = Array.from({ length: 101 }, (_, n) => add(`SET_${n}`));
    const refused = await post(many);
    expect([refused.status, refused.body.errors]).toEqual([
      422,
      [{ field: 'jobs', message: 'must be at most 100 jobs' }],
    ]);
    const taken = await post(many.slice(1));
    expect(taken.body).toEqual(many.slice(1).map(() => created));
    expect(await ask()).toEqual([]);
    const large = await post([add('A', { description: 'x'.repeat(1024 * 1024) })]);
    expect([large.status, large.body.code]).toEqual([413, 'too_large']);
    for (const jobs of [undefined, {}, 'x']) expect((await post(jobs)).status).toBe(422);
    expect((await api.call('POST', '/jobs', { json: { jobs: [], more: 1 } })).status).toBe(422);
    expect((await api.call('POST', '/jobs', { json: { jobs: [] }, token: null })).status).toBe(401);
  });

  it('a batch is accepted during maintenance: executors check the flag themselves', async () => {
    await api.call('POST', '/maintenance-status', { json: { paused: true, msg: 'm' } });
    try {
      const [dataset, beta] = await ask(add('INCOME'), { operation: 'sync', target: 'beta' });
      expect((await show(dataset.job_id)).status).toBe('queued');
      expect(await show(beta.job_id)).toMatchObject({ status: 'waiting', status_reason: 'maintenance' });
    } finally {
      await api.call('POST', '/maintenance-status', { json: { paused: false, msg: 'm' } });
    }
  });

  it('simultaneous batches in different orders give each target one job', async () => {
    const names = Array.from({ length: 6 }, (_, n) => `SET_${n}`);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) => {
        const turned = [...names.slice(n), ...names.slice(0, n)];
        return post((n % 2 === 0 ? turned : turned.toReversed()).map((name) => add(name)));
      }),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const made = answers.flatMap(({ body }) => body).filter(({ status }) => status === 'CREATED');
    expect(made).toHaveLength(names.length);
    expect((await api.call('GET', '/jobs?limit=100')).body).toHaveLength(names.length);
  });
});

describe('an Idempotency-Key', () => {
  const headers = { 'idempotency-key': 'batch-1' };

  it('a repeated batch gets the same answer, refusals too, whatever its jobs’ status', async () => {
    const jobs = [add('INCOME', { description: 'x' }), add('INCOME'), { target: 'INCOME' }];
    const first = await post(jobs, headers);
    expect(first.body.map((one: any) => one.status)).toEqual(['CREATED', 'FAILED', 'FAILED']);
    await complete(first.body[0].job_id);
    const turned = [{ description: 'x', target: 'INCOME', operation: 'ADD' }, ...jobs.slice(1)];
    for (const again of [jobs, turned]) expect((await post(again, headers)).body).toEqual(first.body);
    expect((await api.call('GET', '/jobs')).body).toHaveLength(1);
    expect((await post(jobs)).body[0]).toEqual(created);
  });

  it('an Idempotency-Key used by many at once makes one batch', async () => {
    const jobs = [add('INCOME'), add('WEALTH')];
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(jobs, headers)));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers[0]?.body).toEqual([created, created]);
    expect((await api.call('GET', '/jobs')).body).toHaveLength(2);
  });

  it('an Idempotency-Key is refused for another batch, and for a start', async () => {
    await post([add('INCOME')], headers);
    for (const other of [[add('WEALTH')], [add('INCOME'), add('INCOME')], []]) {
      const answer = await post(other, headers);
      expect([answer.status, answer.body.code]).toEqual([422, 'idempotency_key_reused']);
    }
    expect((await api.call('POST', '/sync/beta/dev', { headers })).status).toBe(422);
    const key = { 'idempotency-key': 'start-1' };
    await api.call('POST', '/sync/beta/dev', { headers: key });
    expect((await post([add('WEALTH')], key)).status).toBe(422);
    expect((await api.call('GET', '/jobs')).body).toHaveLength(2);
  });
});

describe('operations of executors', () => {
  it('an operation without further parameters starts by path or by POST /run', async () => {
    const run = { env: 'dev', action_name: 'sync', action: 'sync', is_tag: 'latest', options: '' };
    const unknown = await api.call('POST', '/run', {
      json: { ...run, target: 'outside', action_name: 'other', action: 'delta' },
    });
    // Its one file also declares other actions, as for a target of ours.
    expect((await show(unknown.body.job_id)).runner).toBe('external');
    for (const target of ['datastore', 'DATASTORE', 'INCOME']) {
      const { status } = await api.call('POST', '/run', { json: { ...run, target } });
      expect(status, target).toBe(422);
    }
    expect((await api.call('POST', '/sync/INCOME/dev')).status).toBe(404);
    expect((await api.call('GET', '/jobs')).body).toHaveLength(1);
  });

  it('an executor finds its jobs by operation and status', async () => {
    const [one, two] = await ask(add('A'), { operation: 'REMOVE', target: 'B', description: 'x' });
    const poll = async (query: string) => ids((await api.call('GET', `/jobs?${query}`)).body);
    expect(await poll('status=queued&operation=SET_STATUS,BUMP,REMOVE')).toEqual([two.job_id]);
    expect(await poll('status=queued&operation=PATCH_METADATA,ADD,CHANGE')).toEqual([one.job_id]);
    await api.call('PUT', `/jobs/${one.job_id}`, { json: { status: 'built' } });
    expect(await poll('status=built')).toEqual([one.job_id]);
    expect(await poll('ignoreCompleted=true')).toEqual([two.job_id, one.job_id]);
    await complete(one.job_id);
    expect(await poll('ignoreCompleted=true')).toEqual([two.job_id]);
  });
});

describe('targets', () => {
  const jobsOf = async (name: string, query = '') =>
    ids((await api.call('GET', `/targets/${name}/jobs${query}`)).body);

  it('targets list their own jobs and the bumps that name them, by pages', async () => {
    const made: number[] = [];
    const run = async (item: unknown) => {
      const [{ job_id: id }] = await ask(item);
      await complete(id);
      made.unshift(id);
      return id as number;
    };
    const oldest = await run(add('INCOME'));
    const old = await run(add('INCOME'));
    const [own, with1] = [await run(add('INCOME')), await run(bump('WEALTH', 'INCOME'))];
    const without = await run(bump('WEALTH', 'INCOME_OTHER'));
    const again = await run(add('INCOME'));
    const with2 = await run(bump('INCOME'));
    expect(await jobsOf('INCOME')).toEqual([with2, again, with1, own, old, oldest]);
    expect(await jobsOf('WEALTH')).toEqual([without, with1]);
    expect(await jobsOf('DATASTORE')).toEqual([with2, without, with1]);
    expect(await jobsOf('INCOME', '?limit=1&page=2')).toEqual([again]);
    expect(await jobsOf('INCOME', '?limit=1&page=6')).toEqual([oldest]);
    expect(await jobsOf('INCOME', '?limit=2&page=2')).toEqual([with1, own]);
    const first = await api.call('GET', '/targets/INCOME/jobs?limit=3');
    const next = /<([^>]*)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    expect([ids(first.body), ids((await api.call('GET', next)).body)]).toEqual([
      [with2, again, with1],
      [own, old, oldest],
    ]);
    expect(await jobsOf('INCOME', '?operation=BUMP')).toEqual([with2, with1]);
    expect(await jobsOf('INCOME', '?env=qas')).toEqual([]);
    expect(ids((await api.call('GET', '/jobs?target=INCOME')).body)).toEqual([again, own, old, oldest]);
  });

  it('targets that match a pattern are listed once they had a job', async () => {
    const names = async () => (await api.call('GET', '/targets')).body.map((target: any) => target.name);
    expect(await names()).not.toContain('datasets');
    expect(await names()).toContain('DATASTORE');
    const { status, body } = await api.call('GET', '/targets/INCOME');
    expect([status, body.environments]).toEqual([
      200,
      [expect.objectContaining({ env: 'dev', last_job: null, last_success_at: null })],
    ]);
    expect(body.environments[0].actions).toEqual(
      ['ADD', 'REMOVE', 'SET_STATUS'].map((action) => ({ action, path: null, schedule: null })),
    );
    expect(await jobsOf('INCOME')).toEqual([]);
    for (const none of ['datasets', 'income'])
      expect((await api.call('GET', `/targets/${none}`)).status).toBe(404);
    const [{ job_id: id }] = await ask(add('INCOME'));
    await complete(id);
    expect(await names()).toContain('INCOME');
    expect((await api.call('GET', '/targets/INCOME')).body.environments[0]).toMatchObject({
      last_success_job_id: id,
      last_job: { id, status: 'completed' },
    });
  });
});
