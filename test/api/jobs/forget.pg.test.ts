/** POST /forget: who may, the job, and the contents that losses show. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { grantOf, MAY_FORGET, unlimited } from '../../../src/domain/permission.ts';
import { forgetAll, hold, person, waiting } from '../losses/support.ts';
import { type Api, setup } from '../support.ts';

let api: Api;
beforeAll(async () => void (api = await setup()));
afterAll(() => api[Symbol.asyncDispose]());
afterEach(() => forgetAll(api));

const ask = (json: unknown, token?: string) =>
  api.call('POST', '/forget/alpha/dev', { json, ...(token === undefined ? {} : { token }) });

it('starts a job with the encoded ids, and erases the contents that losses show of them', async () => {
  await hold(api, ['a b', 'other']);
  const { id, digest } = await waiting(api);
  const { status, body } = await ask({ ids: ['a b'] });
  expect([status, body.ACTION, body.OPTIONS]).toEqual([
    202,
    'forget-record',
    expect.stringContaining('--id a%20b'),
  ]);
  const records = (await api.call('GET', `/losses/${id}/records`)).body;
  expect(records.map((one: any) => [one.id, one.record])).toEqual([
    ['a b', null],
    ['other', { id: 'other', name: 'the record other' }],
  ]);
  expect((await waiting(api)).digest).toBe(digest);
});

it('erases nothing when the target is busy', async () => {
  await hold(api, ['a']);
  const { id } = await waiting(api);
  await api.call('POST', '/sync/alpha/dev');
  expect((await ask({ ids: ['a'] })).status).toBe(409);
  expect((await api.call('GET', `/losses/${id}/records`)).body[0].record).not.toBeNull();
});

it('needs an admin, within the limits', async () => {
  const may = [unlimited('admin'), grantOf('admin', ['dev'], [MAY_FORGET])];
  const mayNot = [
    unlimited('operator'),
    grantOf('admin', ['qas'], [MAY_FORGET]),
    grantOf('admin', [], ['sync']),
  ];
  for (const grant of mayNot) {
    const answer = await ask({ ids: ['a'] }, (await person(api, grant)).token);
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
  }
  for (const grant of may) {
    const { status } = await ask({ ids: ['a'] }, (await person(api, grant)).token);
    expect([200, 202]).toContain(status);
  }
});

it.each([{}, { ids: [] }, { ids: 'a' }, { ids: ['a'], more: 1 }])('%j is refused', async (json) => {
  expect((await ask(json)).status).toBe(422);
});

it('an id with a lone surrogate is refused before anything reads it', async () => {
  const body = '{"ids":["\\ud800"]}';
  const answer = await api.call('POST', '/forget/alpha/dev', {
    body,
    headers: { 'content-type': 'application/json' },
  });
  expect([answer.status, answer.body.code]).toEqual([400, 'malformed']);
});

it('cannot be asked for by another route', async () => {
  const run = {
    target: 'alpha',
    env: 'dev',
    action_name: 'x',
    action: 'forget-record',
    is_tag: 'latest',
    options: '--id a',
  };
  expect((await api.call('POST', '/run', { json: run })).status).toBe(422);
});
