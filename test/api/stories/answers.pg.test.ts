/** The answers of people to losses, in the story of a record that they named. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { tidyRows } from '../../../src/db/retention/expire.ts';
import { forgetAll, hold, person, removalOf, waiting } from '../losses/support.ts';
import { type Api, setup } from '../support.ts';
import { entry, showStory, tellStory } from './support.ts';

let api: Api;
beforeAll(async () => void (api = await setup()));
afterAll(() => api[Symbol.asyncDispose]());
afterEach(async () => {
  await forgetAll(api);
  await sql`TRUNCATE stories`.execute(api.db);
});

const show = (id: string) => showStory(api, id);
const told = (id: string, json?: object) => tellStory(api, id, json);
const answer = async (verb: 'keep' | 'approve', json: object) => {
  const loss = await waiting(api);
  const who = await person(api);
  const of = {
    token: who.token,
    json: { digest: loss.digest, reason: `${verb} by ${who.username}`, ...json },
  };
  const { status, body, text } = await api.call('POST', `/losses/${loss.id}/${verb}`, of);
  if (status >= 300) throw new Error(text);
  return { loss: loss.id, by: who.username, removal: body.removal_job_id };
};
const answersIn = async (id: string) =>
  (await show(id)).body.entries.filter((one: any) => one.answer !== null).map(factsOf);
const factsOf = ({ kind, job_id: job, answer: { by, reason, loss_id: loss } }: any) => ({
  kind,
  job,
  by,
  reason,
  loss,
});
const end = async (id: number) => {
  const { job, attempt } = await removalOf(api, id);
  await job.end(attempt.ref);
  await job.finish();
  return job;
};
const keptBy = ({ by, loss }: { by: string; loss: number }) => ({
  kind: 'pinned',
  job: null,
  by,
  reason: `keep by ${by}`,
  loss,
});
const approvedBy = ({ by, loss }: { by: string; loss: number }, job: number | null) => ({
  kind: 'approved',
  job,
  by,
  reason: `approve by ${by}`,
  loss,
});

it('answers stand among the entries of the sink by their time, with who, why and until when', async () => {
  await hold(api, ['a', 'b', 'c']);
  const some = await answer('keep', { ids: ['c', 'a'], days: 3 });
  const all = await answer('keep', { all: true, days: 9 });
  await told('a', {
    entries: [entry({ at: new Date(Date.now() + 3_600_000).toISOString() }), entry({ kind: 'added' })],
  });
  const { body } = await show('a');
  expect(body.entries.map(({ kind }: any) => kind)).toEqual(['updated', 'pinned', 'added']);
  const [, pinned] = body.entries;
  expect(Date.parse(pinned.answer.until) - Date.parse(pinned.at)).toBe(3 * 86_400_000);
  expect(pinned.answer.until).toBe(body.pinned_until);
  expect([factsOf(pinned), pinned.before, pinned.after, pinned.requested_by]).toEqual([
    keptBy(some),
    null,
    null,
    null,
  ]);
  for (const [id, by] of [
    ['b', [keptBy(all)]],
    ['c', [keptBy(some)]],
    ['d', []],
  ] as const) {
    await told(id);
    expect(await answersIn(id)).toEqual(by);
  }
});

it('answers are told also when they came after the story, and when the days of a keep are over', async () => {
  await told('a');
  await hold(api, ['a', 'b']);
  const kept = await answer('keep', { ids: ['a'] });
  expect(await answersIn('a')).toEqual([keptBy(kept)]);
  await sql`DELETE FROM loss_pins`.execute(api.db);
  expect(await answersIn('a')).toEqual([keptBy(kept)]);
  const again = await answer('keep', { ids: ['a'] });
  expect(await answersIn('a')).toEqual([keptBy(again), keptBy(kept)]);
});

it('a story names who approved a removal, also of a record that came back before it', async () => {
  await hold(api, ['a', 'b', 'kept']);
  await answer('keep', { ids: ['kept'] });
  const approved = await answer('approve', {});
  const job = await end(approved.removal);
  await hold(api, []);
  await told('b');
  expect(await answersIn('b')).toEqual([approvedBy(approved, job.id)]);
  await told('kept');
  expect(await answersIn('kept')).toMatchObject([{ kind: 'pinned' }]);

  await sql`UPDATE losses SET resolved_at = now() - interval '91 days'`.execute(api.db);
  await tidyRows(api.db);
  expect(await answersIn('b')).toEqual([]);
  await told('a', { entries: [entry({ kind: 'removed', action: 'remove', job_uid: job.uid, after: null })] });
  expect(await answersIn('a')).toEqual([approvedBy(approved, job.id)]);
});

it('a removal that was resumed is named by the job that removed, and has its approvals', async () => {
  await hold(api, ['a', 'b']);
  const approved = await answer('approve', {});
  await sql`UPDATE jobs SET status = 'failed', finished_at = now() WHERE id = ${approved.removal}`.execute(
    api.db,
  );
  await told('b');
  expect(await answersIn('b')).toEqual([approvedBy(approved, approved.removal)]);
  const { body: resumed } = await api.call('POST', `/jobs/${approved.removal}/resume`);
  const job = await end(resumed.id);
  await hold(api, []);
  expect(await answersIn('b')).toEqual([approvedBy(approved, job.id)]);

  // Long after, only the jobs say which record it was.
  await sql`TRUNCATE loss_removal_ids`.execute(api.db);
  await told('a', { entries: [entry({ kind: 'removed', action: 'remove', job_uid: job.uid, after: null })] });
  expect(await answersIn('a')).toEqual([approvedBy(approved, job.id)]);
  const removed = (await show('a')).body.entries.find(({ kind }: any) => kind === 'removed');
  expect(removed.approvals).toMatchObject([{ by: approved.by }]);
});

it('a story names the first of two who must approve, until the set changes', async () => {
  await hold(api, ['a', 'b']);
  const { id, digest } = await waiting(api);
  await sql`INSERT INTO loss_approvals (uid, loss_id, digest, by_id, by_name, reason)
    VALUES (gen_random_uuid(), ${id}, ${digest}, 'ada', 'ada', 'approve by ada')`.execute(api.db);
  for (const one of ['a', 'b', 'c']) await told(one);
  for (const one of ['a', 'b'])
    expect(await answersIn(one)).toEqual([approvedBy({ by: 'ada', loss: id }, null)]);
  expect(await answersIn('c')).toEqual([]);
  const kept = await answer('keep', { ids: ['a'] });
  expect([await answersIn('a'), await answersIn('b')]).toEqual([[keptBy(kept)], []]);
});

it('answers of another environment are not told', async () => {
  await hold(api, ['a']);
  await answer('keep', { ids: ['a'] });
  await told('a');
  await sql`UPDATE losses SET env = 'qas'`.execute(api.db);
  expect(await answersIn('a')).toEqual([]);
});
