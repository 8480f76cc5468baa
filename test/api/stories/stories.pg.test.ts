/** Stories of records: who may ask, what a program may tell, what is shown, and what erases it. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { tidyRows } from '../../../src/db/retention/expire.ts';
import { grantOf, unlimited } from '../../../src/domain/permission.ts';
import { forgetAll, hold, person, removalOf, waiting } from '../losses/support.ts';
import { type Api, claimed, setup } from '../support.ts';
import { AT, beginStory, EMPTY, entry, showStory, tellStory, valueOf } from './support.ts';

let api: Api;
beforeAll(async () => void (api = await setup()));
afterAll(() => api[Symbol.asyncDispose]());
afterEach(async () => {
  await forgetAll(api);
  await sql`TRUNCATE stories, proven_listings`.execute(api.db);
});

const ask = (json: unknown, token?: string) =>
  api.call('POST', '/story/alpha/dev', { json, ...(token === undefined ? {} : { token }) });
const show = (id: string) => showStory(api, id);
const begun = (id: string) => beginStory(api, id);
const told = (id: string, json?: object) => tellStory(api, id, json);

it('starts a job whose options name the record, and does so once', async () => {
  const first = await ask({ id: '-a b/ü' });
  expect([first.status, first.body.ACTION, first.body.OPTIONS]).toEqual([
    202,
    'story',
    expect.stringContaining('--id %2Da%20b%2F%C3%BC'),
  ]);
  const again = await ask({ id: '-a b/ü' });
  expect([again.status, again.body.job_id]).toEqual([200, first.body.job_id]);
  expect((await ask({ id: 'other' })).status).toBe(409);
});

it('shows the story with the ids of its jobs, their starters, and who approved a removal', async () => {
  const heldBy = await hold(api, ['a', 'b']);
  const { id: loss, digest } = await waiting(api);
  const { username, token } = await person(api);
  const json = { digest, reason: 'closed at the source' };
  const { body } = await api.call('POST', `/losses/${loss}/approve`, { token, json });
  const { job: removal, attempt } = await removalOf(api, body.removal_job_id);
  await removal.end(attempt.ref);
  await removal.finish();
  const { rows } = await sql<{ uid: string }>`SELECT uid FROM jobs WHERE id = ${heldBy}`.execute(api.db);
  const uid = rows[0]?.uid;
  const by = await told('a', {
    last_seen: AT,
    begins: { at: AT, action: 'sync', job_uid: uid, why: 'the table was empty before' },
    older: 3,
    entries: [
      entry({ kind: 'removed', action: 'remove', job_uid: removal.uid, after: null, changed: null }),
      entry({ job_uid: '01234567-89ab-4def-8123-456789abcdef' }),
    ],
  });
  const shown = await show('a');
  expect(shown.status).toBe(200);
  expect(shown.body).toMatchObject({
    target: 'alpha',
    env: 'dev',
    id: 'a',
    job_id: by,
    older: 3,
    live: null,
  });
  expect(shown.body.begins).toMatchObject({ job_id: heldBy, action: 'sync' });
  expect(shown.body.entries).toMatchObject([
    { kind: 'approved', job_id: removal.id, answer: { by: username, loss_id: loss } },
    {
      kind: 'removed',
      job_id: removal.id,
      requested_by: username,
      approvals: [{ by: username, reason: 'closed at the source' }],
      before: { record: { name: 'one' } },
      after: null,
    },
    { kind: 'updated', job_id: null, requested_by: null, approvals: [], changed: ['name'] },
  ]);
  expect((await api.call('GET', `/jobs/${by}/story`)).body).toEqual(shown.body);
});

it('shows until when an answer keeps the record', async () => {
  await hold(api, ['a']);
  const { id, digest } = await waiting(api);
  await api.call('POST', `/losses/${id}/keep`, { json: { digest, reason: 'in use', days: 3, ids: ['a'] } });
  await told('a');
  expect(Date.parse((await show('a')).body.pinned_until)).toBeGreaterThan(Date.now());
});

it.each(['a/b', '-x', '__proto__', '%41', 'é\u{1f600}', '{}', '?a=b#c', 'x'.repeat(1000)])(
  'a record with the id %j has its own story',
  async (id) => {
    await told(id, { live: valueOf(id) });
    const { status, body } = await show(id);
    expect([status, body.id, body.live?.record]).toEqual([200, id, { name: id }]);
    expect((await show(`${id}x`)).body.code).toBe(id.length === 1000 ? 'bad_path' : 'no_story');
  },
);

it('a newer story replaces the older one of the same record alone', async () => {
  const first = await told('a', { live: valueOf('one') });
  await told('b');
  const second = await told('a', { live: valueOf('two') });
  expect((await show('a')).body).toMatchObject({ job_id: second, live: { record: { name: 'two' } } });
  expect((await show('b')).status).toBe(200);
  expect((await api.call('GET', `/jobs/${first}/story`)).body.code).toBe('no_story');
});

it('contents that no body may have are left out, and the rest is told', async () => {
  const odd = JSON.parse('{"updated_at": null, "record": {"__proto__": 1}}') as object;
  await told('a', { live: odd, entries: [entry({ before: odd, after: odd })] });
  const nothing = { updated_at: null, record: null };
  expect((await show('a')).body).toMatchObject({
    live: nothing,
    entries: [{ before: nothing, after: nothing, changed: ['name'] }],
  });
});

it.each([
  [{ entries: [{ ...entry(), kind: 'odd' }] }, 'entries.0.kind'],
  [{ entries: Array.from({ length: 201 }, () => entry()) }, 'entries'],
  [{ live: 'x' }, 'live'],
  [{ more: 1 }, 'more'],
])('the upload %j is refused and names %s', async (json, field) => {
  const { status, body } = await (await begun('a')).tell(json);
  expect(status).toBe(422);
  expect(body.errors.map((one: any) => one.field)).toContain(field);
});

it('only the attempt of a story tells one, while it runs', async () => {
  const sync = await claimed(api);
  const { token } = await sync.begin();
  const answer = await api.call('POST', `/jobs/${sync.id}/story`, { token, json: EMPTY });
  expect([answer.status, answer.body.code]).toEqual([404, 'no_story']);
  await sync.finish();
  const story = await begun('a');
  expect((await api.call('POST', `/jobs/${story.id}/story`, { token, json: EMPTY })).status).toBe(403);
  expect((await api.call('POST', `/jobs/${story.id}/story`, { json: EMPTY })).status).toBe(401);
  await story.endAll();
  expect((await story.tell({})).status).toBe(410);
  expect((await show('a')).status).toBe(404);
});

it('forget erases the story; one that is told at the same time is erased or refused', async () => {
  await told('a', { live: valueOf('secret') });
  await told('b', { live: valueOf('other') });
  expect((await api.call('POST', '/forget/alpha/dev', { json: { ids: ['a'] } })).status).toBe(202);
  expect((await show('a')).body.code).toBe('no_story');
  expect((await show('b')).status).toBe(200);
  await forgetAll(api);

  const story = await begun('a');
  await Promise.all([
    story.tell({ live: valueOf('secret') }),
    story.finish(),
    expect
      .poll(async () => (await api.call('POST', '/forget/alpha/dev', { json: { ids: ['a'] } })).status)
      .toBe(202),
  ]);
  expect((await show('a')).body.code).toBe('no_story');
});

it('a job does not end while its story is being stored, so no request to forget can overtake it', async () => {
  const story = await begun('a');
  const blocked = async () => {
    const { rows } = await sql<{ count: number }>`
      SELECT count(*)::int AS count FROM pg_stat_activity
      WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0`.execute(api.db);
    return rows[0]?.count;
  };
  await api.db.transaction().execute(async (tx) => {
    await sql`LOCK TABLE stories IN SHARE MODE`.execute(tx);
    const telling = story.tell({ live: valueOf('secret') });
    await expect.poll(blocked).toBe(1);
    const finishing = story.finish();
    await expect.poll(blocked).toBe(2);
    expect((await api.call('POST', '/forget/alpha/dev', { json: { ids: ['a'] } })).status).toBe(409);
    return { telling, finishing };
  });
  await expect
    .poll(async () => (await api.call('POST', '/forget/alpha/dev', { json: { ids: ['a'] } })).status)
    .toBe(202);
  expect((await show('a')).body.code).toBe('no_story');
});

it('a story is gone after 7 days', async () => {
  await told('a');
  await told('b');
  await sql`UPDATE stories SET told_at = now() - interval '8 days' WHERE id = 'a'`.execute(api.db);
  expect((await show('a')).body.code).toBe('no_story');
  await tidyRows(api.db);
  const { rows } = await sql<{ id: string }>`SELECT id FROM stories`.execute(api.db);
  expect(rows).toEqual([{ id: 'b' }]);
});

it('an operator asks, within the limits; a viewer reads, a stranger does not', async () => {
  const mayNot = [unlimited('viewer'), grantOf('operator', ['qas'], []), grantOf('operator', [], ['sync'])];
  for (const grant of mayNot) {
    const answer = await ask({ id: 'a' }, (await person(api, grant)).token);
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
  }
  for (const grant of [unlimited('operator'), grantOf('operator', ['dev'], ['story'])])
    expect([200, 202]).toContain((await ask({ id: 'a' }, (await person(api, grant)).token)).status);
  await forgetAll(api);
  await told('a');
  const { token } = await person(api, unlimited('viewer'));
  expect((await api.call('GET', '/targets/alpha/dev/records/a', { token })).status).toBe(200);
  expect((await api.call('GET', '/targets/alpha/dev/records/a', { token: null })).status).toBe(401);
});

it.each([
  [{}, 'id'],
  [{ id: '' }, 'id'],
  [{ id: 'é'.repeat(400) }, 'id'],
  [{ id: 'a', more: 1 }, 'more'],
])('the request %j is refused and names %s', async (json, field) => {
  const { status, body } = await ask(json);
  expect([status, body.errors[0].field]).toEqual([422, field]);
});

it('tells which part of the path is unknown', async () => {
  for (const [where, code] of [
    ['alpha/nowhere', 'unknown_env'],
    ['nothing/dev', 'unknown_target'],
    ['nosync/dev', 'unknown_action'],
  ])
    expect((await api.call('POST', `/story/${where}`, { json: { id: 'a' } })).body.code).toBe(code);
});
