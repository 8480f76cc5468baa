/** Approvals: who may give them, of which set, and the removal that the last one starts. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { approveLoss } from '../../../src/db/losses/answers.ts';
import { returnPinned } from '../../../src/db/losses/pins.ts';
import { APPROVE, grantOf, unlimited } from '../../../src/domain/permission.ts';
import { type Api, claimed, setup } from '../support.ts';
import { digestOf, forgetAll, heldRecord, hold, person, removalOf, upload, waiting } from './support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup({
    files: {
      'dev/two-sync': ['TARGET=two', 'ACTION=sync', 'APPROVALS=2'],
      'dev/other_name-sync': ['TARGET=named', 'ACTION=sync', 'APPROVALS=2'],
      'dev/named-sync': ['TARGET=else', 'ACTION=sync'],
    },
  });
});
afterAll(() => api[Symbol.asyncDispose]());
afterEach(() => forgetAll(api));

type Person = { readonly token: string };
const approve = (loss: any, { token }: Person, over: object = {}) =>
  api.call('POST', `/losses/${loss.id}/approve`, {
    token,
    json: { digest: loss.digest, reason: 'the archive was closed', ...over },
  });
const countJobs = async () => {
  const { rows } = await sql<{
    n: number;
  }>`SELECT count(*)::int AS n FROM jobs WHERE action = 'remove'`.execute(api.db);
  return rows[0]?.n;
};
const countApprovals = async () => (await api.db.selectFrom('loss_approvals').select('uid').execute()).length;
const linesOf = async (loss: any) =>
  (await api.call('GET', `/audit?object=${encodeURIComponent(`loss ${loss.id}`)}`)).body;

it('an approval starts a removal that may remove exactly the approved ids', async () => {
  const starter = await person(api);
  await hold(api, ['a', 'b', 'c'], starter.token);
  const loss = await waiting(api);
  const ada = await person(api);
  const { status, body } = await approve(loss, ada);
  expect([status, body.approvals]).toEqual([
    202,
    [{ by: ada.username, reason: 'the archive was closed', at: expect.any(String) }],
  ]);
  const job = (await api.call('GET', `/jobs/${body.removal_job_id}`)).body;
  expect(job).toMatchObject({ action: 'remove', job_type: 'remove', requested_by: ada.username, env: 'dev' });
  expect(job.parameters.options).toMatch(/^-n 1000 -c 1 --approval [0-9a-f-]{36}$/);
  const { attempt } = await removalOf(api, job.id);
  const ids = async (query = '') =>
    (await api.call('GET', `/jobs/${job.id}/approved-removals${query}`, { token: attempt.token })).body;
  expect(await ids()).toEqual({ ids: ['a', 'b', 'c'], next: null });
  expect(await ids('?limit=2')).toEqual({ ids: ['a', 'b'], next: 'b' });
  expect(await ids('?limit=2&after=b')).toEqual({ ids: ['c'], next: null });
  const [line] = await linesOf(loss);
  expect(line).toMatchObject({
    verb: 'approve-loss',
    object: `loss ${loss.id} (dev/alpha)`,
    principal: ada.username,
    reason: 'the archive was closed',
    detail: { digest: loss.digest, count: 3, job: job.id, approvals: 1, needed: 1 },
  });
});

it('the removal’s own upload resolves the loss, which then names the removal', async () => {
  const starter = await person(api);
  await hold(api, ['a'], starter.token);
  const loss = await waiting(api);
  const { removal_job_id: id } = (await approve(loss, await person(api))).body;
  const { job, attempt } = await removalOf(api, id);
  expect((await upload(api, attempt, {})).status).toBe(200);
  await job.end(attempt.ref);
  await job.finish();
  const { body } = await api.call('GET', `/losses/${loss.id}`);
  expect(body).toMatchObject({
    status: 'resolved',
    removal_job_id: id,
    job_id: id,
    started_by: starter.username,
  });
  expect(body.resolved_at).not.toBeNull();
  const again = await approve(loss, await person(api));
  expect([again.status, again.body.code]).toEqual([410, 'loss_resolved']);
  // A removal is no sync: the target's last success stays the sync.
  expect((await api.call('GET', '/targets/alpha')).body.environments[0].last_success_job_id).not.toBe(id);
});

it('what is left after a removal waits on, and its approver is not taken for its cause', async () => {
  const starter = await person(api);
  await hold(api, ['a', 'b'], starter.token);
  const ada = await person(api);
  const { removal_job_id: id } = (await approve(await waiting(api), ada)).body;
  const { job, attempt } = await removalOf(api, id);
  await upload(api, attempt, {
    records: [
      { id: 'b', missing_since: '2026-11-22T01:00:00Z', last_seen: null, updated_at: null, record: null },
    ],
  });
  await job.end(attempt.ref);
  await job.finish();
  const left = await waiting(api);
  expect(left).toMatchObject({ count: 1, approvals: [], removal_job_id: null, started_by: starter.username });
  expect((await approve(left, ada)).status).toBe(202);
});

it('the right `approve` is needed: an admin without limited actions has it, or a grant that lists it', async () => {
  await hold(api, ['a'], (await person(api)).token);
  const loss = await waiting(api);
  const without = [
    unlimited('operator'),
    grantOf('operator', ['dev'], ['sync', 'remove']),
    grantOf('admin', [], ['sync']),
    grantOf('admin', ['qas'], []),
    grantOf('operator', ['qas'], [APPROVE]),
  ];
  for (const grant of without) {
    const { status, body } = await approve(loss, await person(api, grant));
    expect([status, body.code]).toEqual([403, 'forbidden']);
  }
  const said = (await approve(loss, await person(api, unlimited('operator')))).body;
  expect([said.outside, said.detail]).toEqual([
    { action: APPROVE },
    expect.stringContaining('needs the right approve'),
  ]);
  expect((await approve(loss, await person(api, unlimited('viewer')))).status).toBe(403);
  expect(await countApprovals()).toBe(0);
  expect((await approve(loss, await person(api, grantOf('operator', ['dev'], [APPROVE])))).status).toBe(202);
});

it('whoever started the job that told the set is refused', async () => {
  const starter = await person(api);
  await hold(api, ['a'], starter.token);
  const loss = await waiting(api);
  const { status, body } = await approve(loss, starter);
  expect([status, body.code]).toEqual([403, 'own_job']);
  expect([await countJobs(), await countApprovals()]).toEqual([0, 0]);
  const [line] = await linesOf(loss);
  expect(line).toMatchObject({ verb: 'approve-loss', refused: 'own_job', principal: starter.username });
});

it('whoever started it is recognised by id: an issuer’s user may have another name since', async () => {
  await hold(api, ['a']);
  await sql`UPDATE losses SET caused_by = '{oidc:u1 (Ada)}'`.execute(api.db);
  const { id, digest } = await waiting(api);
  const by = (shown: string) => ({ id: 'oidc:u1', shown });
  const removal = () => {
    throw new Error('must not start');
  };
  const approval = {
    uid: '33333333-3333-4333-8333-333333333333',
    lossId: id,
    digest,
    reason: 'gone',
    needed: 2,
  };
  const ask = (shown: string) =>
    approveLoss(api.db, { ...approval, by: by(shown), origin: undefined, removal });
  expect(await ask('oidc:u1 (Eve)')).toEqual({ kind: 'own_job' });
  expect(await ask('oidc:u1')).toEqual({ kind: 'own_job' });
  expect((await ask('oidc:u12 (Ada)')).kind).toBe('approved');
});

it('a rollback by another person does not free the one who caused the loss', async () => {
  const starter = await person(api);
  await hold(api, ['a'], starter.token);
  const job = await claimed(api, '/rollback/alpha/dev', { token: (await person(api)).token });
  const attempt = await job.begin();
  expect((await upload(api, attempt, { records: [heldRecord('a')] })).status).toBe(200);
  await job.end(attempt.ref);
  await job.finish();
  const loss = await waiting(api);
  expect([loss.job_id, loss.started_by]).toEqual([job.id, starter.username]);
  expect((await approve(loss, starter)).body.code).toBe('own_job');
});

it('the next night’s job frees nobody who caused the loss', async () => {
  const starter = await person(api);
  await hold(api, ['a'], starter.token);
  const other = await person(api);
  await hold(api, ['a'], other.token);
  const loss = await waiting(api);
  expect(loss.started_by).toBe(other.username);
  for (const who of [starter, other]) expect((await approve(loss, who)).body.code).toBe('own_job');
  expect((await approve(loss, await person(api))).status).toBe(202);
});

it('an approval and a removal from before a keep count no more, also when its days are over', async () => {
  await hold(api, ['a', 'b'], (await person(api)).token);
  const [ada, bob] = [await person(api), await person(api)];
  const loss = await waiting(api);
  const { removal_job_id: id } = (await approve(loss, ada)).body;
  await sql`UPDATE jobs SET status = 'failed', finished_at = now() WHERE id = ${id}`.execute(api.db);
  await sql`INSERT INTO loss_approvals (uid, loss_id, digest, by_id, by_name, reason)
    VALUES (gen_random_uuid(), ${loss.id}, ${loss.digest}, 'someone', 'someone', 'gone')`.execute(api.db);
  expect((await waiting(api)).approvals).toHaveLength(1);
  const json = { digest: loss.digest, reason: 'still for sale', ids: ['a'] };
  expect((await api.call('POST', `/losses/${loss.id}/keep`, { token: bob.token, json })).status).toBe(200);
  await sql`UPDATE loss_pins SET until = now()`.execute(api.db);
  await returnPinned(api.db);
  expect(await waiting(api)).toMatchObject({ digest: loss.digest, approvals: [] });
  expect((await api.call('POST', `/jobs/${id}/resume`)).body.code).toBe('loss_changed');
});

it('an approval of yesterday’s set is refused, and told what has changed', async () => {
  await hold(api, ['a', 'b'], (await person(api)).token);
  const yesterday = await waiting(api);
  const newest = await hold(api, ['b', 'c', 'd'], (await person(api)).token);
  const today = await waiting(api);
  const { status, body } = await approve(yesterday, await person(api));
  expect([status, body.code, body.digest, body.count]).toEqual([409, 'loss_changed', today.digest, 3]);
  expect(body.detail).toContain(`since then 2 records joined it and 1 left it (job ${newest})`);
  const never = await approve(yesterday, await person(api), { digest: digestOf(['x']) });
  expect(never.body.detail).toContain('it never had this digest');
  expect([await countJobs(), await countApprovals()]).toEqual([0, 0]);
});

it('with APPROVALS=2 the second person starts the removal, and the first counts once', async () => {
  const job = await claimed(api, '/sync/two/dev', { token: (await person(api)).token });
  const attempt = await job.begin();
  await upload(api, attempt, {
    records: [
      { id: 'a', missing_since: '2026-11-22T01:00:00Z', last_seen: null, updated_at: null, record: null },
    ],
  });
  await job.end(attempt.ref);
  await job.finish();
  const loss = await waiting(api);
  expect(loss.approvals_needed).toBe(2);
  const [ada, bob, cleo] = [await person(api), await person(api), await person(api)];
  const first = await approve(loss, ada);
  expect([first.status, first.body.removal_job_id, first.body.approvals.length]).toEqual([202, null, 1]);
  const again = await approve(loss, ada);
  expect([again.status, again.body.code, again.body.removal_job_id]).toEqual([409, 'already_approved', null]);
  expect(await countJobs()).toBe(0);
  const second = await approve(loss, bob);
  expect(second.body.approvals.map(({ by }: any) => by)).toEqual([ada.username, bob.username]);
  expect(await countJobs()).toBe(1);
  // The removal is under way: another approval has no effect.
  const mine = await approve(loss, ada);
  expect([mine.status, mine.body.code, mine.body.removal_job_id]).toEqual([
    409,
    'already_approved',
    second.body.removal_job_id,
  ]);
  const other = await approve(loss, cleo);
  expect([other.status, other.body.code]).toEqual([409, 'removal_active']);
});

it('the params file is that of the target, whatever names files have', async () => {
  const job = await claimed(api, '/sync/other_name/dev', { token: (await person(api)).token });
  const attempt = await job.begin();
  await upload(api, attempt, { records: [heldRecord('a')] });
  await job.end(attempt.ref);
  await job.finish();
  const loss = await waiting(api);
  expect(loss).toMatchObject({ target: 'named', approvals_needed: 2 });
  const first = await approve(loss, await person(api));
  expect([first.status, first.body.removal_job_id]).toEqual([202, null]);
  const { removal_job_id: id } = (await approve(loss, await person(api))).body;
  expect((await api.call('GET', `/jobs/${id}`)).body).toMatchObject({ target: 'named', action: 'remove' });
});

it('an approval of an earlier set does not count for the present one', async () => {
  const starter = await person(api);
  const tell = async (ids: readonly string[]) => {
    const job = await claimed(api, '/sync/two/dev', { token: starter.token });
    const attempt = await job.begin();
    const record = { missing_since: '2026-11-22T01:00:00Z', last_seen: null, updated_at: null, record: null };
    await upload(api, attempt, { records: ids.map((id) => ({ id, ...record })) });
    await job.end(attempt.ref);
    await job.finish();
  };
  await tell(['a']);
  const ada = await person(api);
  await approve(await waiting(api), ada);
  await tell(['a', 'b']);
  const now = await waiting(api);
  expect(now.approvals).toEqual([]);
  expect((await approve(now, await person(api))).body.removal_job_id).toBeNull();
});

it('an approval from before the set changed for a time is none of the removal that others approve', async () => {
  await hold(api, ['a', 'b'], (await person(api)).token);
  const { id, digest } = await waiting(api);
  await sql`INSERT INTO loss_approvals (uid, loss_id, digest, by_id, by_name, reason)
    VALUES (gen_random_uuid(), ${id}, ${digest}, 'ada', 'ada', 'of the set before')`.execute(api.db);
  await hold(api, ['a', 'b', 'c'], (await person(api)).token);
  await hold(api, ['a', 'b'], (await person(api)).token);
  expect(await waiting(api)).toMatchObject({ digest, approvals: [] });
  const bob = await person(api);
  const { body } = await approve(await waiting(api), bob);
  expect(body.approvals).toMatchObject([{ by: bob.username }]);
  const { job, attempt } = await removalOf(api, body.removal_job_id);
  await upload(api, attempt, { records: [] });
  await job.end(attempt.ref);
  await job.finish();
  const resolved = (await api.call('GET', `/losses/${id}`)).body;
  expect(resolved).toMatchObject({ status: 'resolved', approvals: [{ by: bob.username }] });
  expect(resolved.approvals).toHaveLength(1);
});

it('of two approvals at once one starts the removal, and the other is refused', async () => {
  await hold(api, ['a', 'b'], (await person(api)).token);
  const loss = await waiting(api);
  const people = await Promise.all([person(api), person(api), person(api), person(api)]);
  const answers = await Promise.all(people.map((one) => approve(loss, one)));
  expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([
    202, 409, 409, 409,
  ]);
  expect([await countJobs(), await countApprovals()]).toEqual([1, 1]);
});

it('while another job holds the target, neither the approval nor a removal is stored', async () => {
  await hold(api, ['a'], (await person(api)).token);
  const loss = await waiting(api);
  const { body: holder } = await api.call('POST', '/delta/alpha/dev');
  const { status, body } = await approve(loss, await person(api));
  expect([status, body.code, body.holder.id]).toEqual([409, 'busy', holder.job_id]);
  expect([await countJobs(), await countApprovals()]).toEqual([0, 0]);
  expect(await api.db.selectFrom('loss_removal_ids').selectAll().execute()).toEqual([]);
  expect((await waiting(api)).approvals).toEqual([]);
});

it('after a removal that failed or was cancelled the loss can be approved again, by the same person', async () => {
  await hold(api, ['a'], (await person(api)).token);
  const loss = await waiting(api);
  const ada = await person(api);
  const { removal_job_id: failed } = (await approve(loss, ada)).body;
  const { job, attempt } = await removalOf(api, failed);
  await job.end(attempt.ref);
  await job.finish({ kind: 'cancelled' });
  expect(await waiting(api)).toMatchObject({ approvals: [], removal_job_id: null, digest: loss.digest });
  const again = await approve(loss, ada);
  expect(again.status).toBe(202);
  expect(again.body.removal_job_id).not.toBe(failed);
});

it('the same approval stored twice, after a lost answer, is one approval and one job', async () => {
  await hold(api, ['a'], (await person(api)).token);
  const { id, digest } = await waiting(api);
  const { steps, parameters } = {
    steps: [],
    parameters: { action_name: 'remove', action: 'remove', is_tag: 'latest', mam_main_query: null },
  };
  const approval = {
    uid: '22222222-2222-4222-8222-222222222222',
    lossId: id,
    digest,
    reason: 'gone',
    by: { id: 'ada', shown: 'ada' },
    origin: undefined,
    needed: 1,
    removal: (uid: string) => ({
      uid,
      env: 'dev',
      target: 'alpha',
      runner: 'process' as const,
      steps,
      parameters: { ...parameters, options: `--approval ${uid}` },
      trigger: 'api' as const,
      requestedBy: 'ada',
    }),
  };
  const first = await approveLoss(api.db, approval);
  const second = await approveLoss(api.db, approval);
  expect(first.kind === 'approved' && second.kind === 'approved' && second.job?.id === first.job?.id).toBe(
    true,
  );
  expect([await countJobs(), await countApprovals()]).toEqual([1, 1]);
});

it('digest and reason are required', async () => {
  await hold(api, ['a'], (await person(api)).token);
  const loss = await waiting(api);
  const ada = await person(api);
  for (const [over, field] of [
    [{ reason: ' ' }, 'reason'],
    [{ reason: undefined }, 'reason'],
    [{ digest: undefined }, 'digest'],
    [{ digest: 'all' }, 'digest'],
  ] as const) {
    const { status, body } = await approve(loss, ada, over);
    expect([status, body.errors[0].field]).toEqual([422, field]);
  }
  expect((await approve({ ...loss, id: 999 }, ada)).body.code).toBe('unknown_loss');
});

it('no caller starts a removal by parameters, a batch or a path', async () => {
  const json = {
    target: 'alpha',
    env: 'dev',
    action_name: 'remove',
    action: 'remove',
    is_tag: 'latest',
    options: '--approval 11111111-1111-4111-8111-111111111111',
  };
  for (const where of ['/run', '/dryrun']) {
    const { status, body } = await api.call('POST', where, { json });
    expect([status, body.code, body.detail]).toEqual([
      400,
      'needs_approval',
      expect.stringContaining('approve a loss'),
    ]);
  }
  const jobs = [{ operation: 'remove', target: 'alpha', env: 'dev' }];
  expect((await api.call('POST', '/jobs', { json: { jobs } })).body[0].status).toBe('FAILED');
  expect((await api.call('POST', '/remove/alpha/dev')).status).toBe(404);
  expect(await countJobs()).toBe(0);
});

it('a failed removal is resumed while its set is the approved one, and else refused', async () => {
  await hold(api, ['a', 'b'], (await person(api)).token);
  const loss = await waiting(api);
  const { removal_job_id: id } = (await approve(loss, await person(api))).body;
  await sql`UPDATE jobs SET status = 'failed', finished_at = now() WHERE id = ${id}`.execute(api.db);
  const resumed = await api.call('POST', `/jobs/${id}/resume`);
  expect([resumed.status, resumed.body.action]).toEqual([202, 'remove']);
  expect(await waiting(api)).toMatchObject({ removal_job_id: resumed.body.id, approvals: [{}] });
  await sql`UPDATE jobs SET status = 'failed', finished_at = now() WHERE id = ${resumed.body.id}`.execute(
    api.db,
  );
  await hold(api, ['a', 'b', 'c'], (await person(api)).token);
  const { status, body } = await api.call('POST', `/jobs/${resumed.body.id}/resume`);
  expect([status, body.code, body.detail]).toEqual([
    409,
    'loss_changed',
    expect.stringContaining('approve the loss again'),
  ]);
});

it('the token of a removal reaches the approved ids of its own target alone', async () => {
  await hold(api, ['a'], (await person(api)).token);
  const { removal_job_id: id } = (await approve(await waiting(api), await person(api))).body;
  const { attempt } = await removalOf(api, id);
  // A job of another target that names the same approval.
  await sql`UPDATE jobs SET target = 'beta' WHERE id = ${id}`.execute(api.db);
  const { status, body } = await api.call('GET', `/jobs/${id}/approved-removals`, { token: attempt.token });
  expect([status, body.code]).toEqual([404, 'no_approval']);
});
