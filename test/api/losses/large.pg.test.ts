/** A loss of fifty thousand records (two hundred thousand pass, too, and take longer): each statement is short enough that no request is answered 503. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tidyLosses } from '../../../src/db/losses/tidy.ts';
import { type Api, claimed, setup } from '../support.ts';
import { digestOf, heldRecord, hold, person, removalOf, upload, waiting } from './support.ts';

const MANY = 50_000;
const PAGE = 500;
const idOf = (at: number) => `k${String(at).padStart(9, '0')}`;

let api: Api;
let loss: any;
beforeAll(async () => {
  api = await setup();
}, 60_000);
afterAll(() => api[Symbol.asyncDispose]());

async function uploadMany(starter: string) {
  const job = await claimed(api, '/sync/alpha/dev', { token: starter });
  const attempt = await job.begin();
  for (let from = 0; from < MANY; from += PAGE) {
    const records = Array.from({ length: PAGE }, (_, at) => heldRecord(idOf(from + at)));
    const last = from + PAGE >= MANY;
    const { status } = await upload(api, attempt, { page: from / PAGE, last, live: 2 * MANY, records });
    if (status !== 200) throw new Error(`page ${from / PAGE} answered ${status}`);
  }
  await job.end(attempt.ref);
  await job.finish();
}

it('is uploaded in pages', { timeout: 300_000 }, async () => {
  const { token } = await person(api);
  await uploadMany(token);
  loss = await waiting(api);
  const ids = Array.from({ length: MANY }, (_, at) => idOf(at));
  expect([loss.count, loss.percent, loss.digest]).toEqual([MANY, 50, digestOf(ids)]);
});

it('is replaced by the same set again, without a change', { timeout: 300_000 }, async () => {
  const { token } = await person(api);
  await uploadMany(token);
  expect(await waiting(api)).toMatchObject({ id: loss.id, digest: loss.digest, changed_at: loss.changed_at });
});

it('is paged by its ids, and searched for a part of an id', async () => {
  const page = async (query: string) => {
    const { body } = await api.call('GET', `/losses/${loss.id}/records?limit=100&${query}`);
    return body.map(({ id }: any) => id);
  };
  expect((await page(''))[0]).toBe(idOf(0));
  const last = await page(`after=${idOf(MANY - 101)}`);
  expect([last.length, last.at(-1)]).toEqual([100, idOf(MANY - 1)]);
  expect(await page(`id=${idOf(MANY - 1)}`)).toEqual([idOf(MANY - 1)]);
});

it('is approved but for some, and its removal reads every other id once', { timeout: 300_000 }, async () => {
  const ada = await person(api);
  const asked = { token: ada.token };
  const kept = Array.from({ length: 1_500 }, (_, at) => idOf(at * 30));
  const { body: left } = await api.call('POST', `/losses/${loss.id}/keep`, {
    ...asked,
    json: { digest: loss.digest, reason: 'still there', ids: kept },
  });
  expect(left).toMatchObject({ count: MANY - kept.length });
  const approved = await api.call('POST', `/losses/${loss.id}/approve`, {
    ...asked,
    json: { digest: left.digest, reason: 'gone' },
  });
  expect(approved.status).toBe(202);
  const { job, attempt } = await removalOf(api, approved.body.removal_job_id);
  const ids: string[] = [];
  for (let after: string | null = ''; after !== null; ) {
    const { body }: { body: any } = await api.call(
      'GET',
      `/jobs/${job.id}/approved-removals?after=${after}&limit=700`,
      { token: attempt.token },
    );
    ids.push(...body.ids);
    after = body.next;
  }
  const keptIds = new Set(kept);
  expect(digestOf(ids)).toBe(left.digest);
  expect([ids.length, ids.some((id) => keptIds.has(id))]).toEqual([left.count, false]);
  await job.end(attempt.ref);
  await job.finish();
});

it('is kept as a whole, and leaves no rows behind when it is resolved', { timeout: 300_000 }, async () => {
  const now = await waiting(api);
  const { status, body } = await api.call('POST', `/losses/${loss.id}/keep`, {
    token: (await person(api)).token,
    json: { digest: now.digest, reason: 'the source was wrong', all: true },
  });
  expect([status, body.count, body.pinned]).toEqual([200, 0, MANY]);
  const { rows: named } = await sql<{ ids: number }>`
    SELECT sum(cardinality(ids))::int AS ids FROM loss_keep_ids
    WHERE last_id = ids[cardinality(ids)] AND keep = (SELECT max(id) FROM loss_keeps)`.execute(api.db);
  expect(named[0]?.ids).toBe(now.count);
  await hold(api, []);
  await sql`UPDATE losses SET resolved_at = resolved_at - interval '91 days'`.execute(api.db);
  while ((await tidyLosses(api.db)) > 0);
  const { rows } = await sql<{ n: number }>`
    SELECT (SELECT count(*) FROM loss_records) + (SELECT count(*) FROM loss_uploads)
      + (SELECT count(*) FROM loss_removal_ids) + (SELECT count(*) FROM loss_keep_ids) AS n`.execute(api.db);
  expect(rows[0]?.n).toBe(0);
});
