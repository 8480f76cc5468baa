/** Keeps: records that stay live and are not proposed until their days are over. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { returnPinned } from '../../../src/db/losses/pins.ts';
import { unlimited } from '../../../src/domain/permission.ts';
import { type Api, setup } from '../support.ts';
import { digestOf, forgetAll, hold, person, removalOf, waiting } from './support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup();
});
afterAll(() => api[Symbol.asyncDispose]());
afterEach(() => forgetAll(api));

const DAY_MS = 24 * 3_600_000;
type Person = { readonly token: string };
const keep = (loss: any, { token }: Person, json: object) =>
  api.call('POST', `/losses/${loss.id}/keep`, {
    token,
    json: { digest: loss.digest, reason: 'still for sale', ...json },
  });
const approve = (loss: any, { token }: Person) =>
  api.call('POST', `/losses/${loss.id}/approve`, { token, json: { digest: loss.digest, reason: 'gone' } });
/** As if so many days had passed since the keeps. */
const letPass = async (days: number) => {
  await sql`UPDATE loss_pins SET until = until - make_interval(days => ${days})`.execute(api.db);
  await returnPinned(api.db);
};

it('keep 4, approve the rest: the removal may remove exactly the rest', async () => {
  const ids = Array.from({ length: 12 }, (_, at) => `k${at + 10}`);
  const [kept, rest] = [ids.slice(0, 4), ids.slice(4)];
  await hold(api, ids, (await person(api)).token);
  const ada = await person(api);
  const before = await waiting(api);
  const { status, body: loss } = await keep(before, ada, { ids: [...kept, 'k10'], days: 10 });
  expect([status, loss.count, loss.pinned, loss.digest]).toEqual([200, 8, 4, digestOf(rest)]);
  const records = (await api.call('GET', `/losses/${loss.id}/records`)).body;
  const pinned = records.filter(({ pinned_until: until }: any) => until !== null);
  expect(pinned.map(({ id }: any) => id)).toEqual(kept);
  expect(Date.parse(pinned[0].pinned_until) - Date.now()).toBeGreaterThan(9.9 * DAY_MS);
  expect((await approve(before, ada)).body.code).toBe('loss_changed');
  const { removal_job_id: id } = (await approve(loss, ada)).body;
  const { attempt } = await removalOf(api, id);
  const approved = await api.call('GET', `/jobs/${id}/approved-removals`, { token: attempt.token });
  expect(approved.body).toEqual({ ids: rest, next: null });
  const [line] = (
    await api.call('GET', `/audit?verb=keep-loss&object=${encodeURIComponent(`loss ${loss.id}`)}`)
  ).body;
  expect(line).toMatchObject({
    verb: 'keep-loss',
    reason: 'still for sale',
    detail: { digest: before.digest, count: 12, kept: 4, days: 10 },
  });
});

it('a kept record is not proposed by later jobs either, until its days are over', async () => {
  await hold(api, ['a', 'b']);
  await keep(await waiting(api), await person(api), { ids: ['a'], days: 2 });
  await hold(api, ['a', 'b', 'c']);
  expect(await waiting(api)).toMatchObject({ count: 2, pinned: 1, digest: digestOf(['b', 'c']) });
  await letPass(1);
  expect((await waiting(api)).count).toBe(2);
  await letPass(1);
  expect(await waiting(api)).toMatchObject({ count: 3, pinned: 0, digest: digestOf(['a', 'b', 'c']) });
});

it('whoever approves the set from before the days were over is told so', async () => {
  await hold(api, ['a', 'b'], (await person(api)).token);
  const { body: seen } = await keep(await waiting(api), await person(api), { ids: ['a'], days: 1 });
  await letPass(1);
  const { status, body } = await approve(seen, await person(api));
  expect([status, body.code]).toEqual([409, 'loss_changed']);
  expect(body.detail).toContain('1 records joined it and 0 left it (the days of kept records are over)');
});

it('all can be kept: nothing is left to approve, and the set is born again when the days are over', async () => {
  await hold(api, ['a', 'b', 'c'], (await person(api)).token);
  const before = await waiting(api);
  const { body: loss } = await keep(before, await person(api), { all: true });
  expect(loss).toMatchObject({ status: 'waiting', count: 0, pinned: 3, percent: 0, digest: digestOf([]) });
  expect((await approve(loss, await person(api))).body.code).toBe('nothing_waits');
  await letPass(29);
  expect((await waiting(api)).count).toBe(0);
  await letPass(1);
  const reborn = await waiting(api);
  expect([reborn.count, reborn.id, reborn.born_at > before.born_at]).toEqual([3, loss.id, true]);
});

it('own jobs may be kept, since that loses nothing; the right is needed all the same', async () => {
  const starter = await person(api);
  await hold(api, ['a'], starter.token);
  const loss = await waiting(api);
  expect((await keep(loss, await person(api, unlimited('operator')), { all: true })).status).toBe(403);
  expect((await keep(loss, starter, { all: true })).status).toBe(200);
});

it('an unknown id, no ids, both or other days are refused by field, and nothing is kept', async () => {
  await hold(api, ['a', 'b']);
  const loss = await waiting(api);
  const ada = await person(api);
  const unknown = await keep(loss, ada, { ids: ['a', 'y', 'z'] });
  expect([unknown.status, unknown.body.errors]).toEqual([
    422,
    [{ field: 'ids', message: expect.stringContaining("'y'") }],
  ]);
  for (const [json, field] of [
    [{}, 'ids'],
    [{ ids: [] }, 'ids'],
    [{ ids: ['a'], all: true }, 'ids'],
    [{ all: true, days: 0 }, 'days'],
    [{ all: true, days: 366 }, 'days'],
  ] as const) {
    const { status, body } = await keep(loss, ada, json);
    expect([json, status, body.errors[0].field]).toEqual([json, 422, field]);
  }
  expect(await waiting(api)).toEqual(loss);
});

it('while the removal of the set is under way nothing can be kept; a keep after it failed counts for a resume', async () => {
  await hold(api, ['a', 'b'], (await person(api)).token);
  const ada = await person(api);
  const loss = await waiting(api);
  const { removal_job_id: id } = (await approve(loss, ada)).body;
  const { status, body } = await keep(loss, ada, { ids: ['a'] });
  expect([status, body.code, body.removal_job_id]).toEqual([409, 'removal_active', id]);
  await sql`UPDATE jobs SET status = 'failed', finished_at = now() WHERE id = ${id}`.execute(api.db);
  expect((await keep(loss, ada, { ids: ['a'] })).status).toBe(200);
  expect((await api.call('POST', `/jobs/${id}/resume`)).body.code).toBe('loss_changed');
});

it('a resolved loss cannot be kept', async () => {
  await hold(api, ['a']);
  const loss = await waiting(api);
  await hold(api, []);
  const { status, body } = await keep(loss, await person(api), { all: true });
  expect([status, body.code]).toEqual([410, 'loss_resolved']);
});
