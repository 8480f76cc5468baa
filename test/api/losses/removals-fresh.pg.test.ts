/** The freshness of removals: as of when no record that the source had lost was live. */
/* oxlint-disable typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { type Kysely, sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { freshRemovals } from '../../../src/db/jobs/proven-listings.ts';
import { up } from '../../../src/db/migrations/0023-stories.ts';
import { up as addBegin } from '../../../src/db/migrations/0025-listing-begin.ts';
import { type Api, claim, claimed, setup } from '../support.ts';
import { DIGEST, plan } from '../plans/support.ts';
import { forgetAll, heldRecord, upload } from './support.ts';

let api: Api;
beforeAll(async () => void (api = await setup()));
afterAll(() => api[Symbol.asyncDispose]());
afterEach(async () => {
  await forgetAll(api);
  await sql`TRUNCATE proven_listings`.execute(api.db);
});

type Run = {
  readonly where?: string;
  readonly json?: object;
  readonly listing?: 'complete' | 'unproven';
  /** Reported as held. */
  readonly held?: number;
  /** Told as held, each with the time since when it is missed. */
  readonly tells?: Readonly<Record<string, string>>;
  readonly fails?: true;
  /** Id of the job that it resumes. */
  readonly resumes?: number;
};

/** A plan of a sync of alpha in dev, and the job that applies it. @returns when the plan's job began to read, too */
async function applied(of: Pick<Run, 'held' | 'tells'> = {}): Promise<{ planId: number; born: number }> {
  const planId = await plan(api);
  const born = await newestBegin();
  await ran({ where: `/plans/${planId}/apply`, json: { digest: DIGEST }, listing: 'complete', ...of });
  return { planId, born };
}

/** When the first step of the newest job began. */
async function newestBegin(): Promise<number> {
  const { rows } = await sql<{ at: Date }>`
    SELECT min(created_at) AS at FROM steps WHERE job_id = (SELECT max(job_id) FROM steps)`.execute(api.db);
  return rows[0]?.at.getTime() ?? Number.NaN;
}

/** A job of alpha in dev. @returns its id */
async function ran({
  where = '/sync/alpha/dev',
  json,
  listing,
  held,
  tells,
  fails,
  resumes,
}: Run = {}): Promise<number> {
  const job =
    resumes === undefined
      ? await claimed(api, where, json === undefined ? {} : { json })
      : await claim(api, (await api.call('POST', `/jobs/${resumes}/resume`)).body);
  const attempt = await job.begin();
  const report = { seq: 1, phase: 'done', ...(listing && { listing }), ...(held && { held }) };
  await api.call('PUT', `/jobs/${job.id}/report`, { token: attempt.token, json: report });
  if (tells) {
    const records = Object.entries(tells).map(([id, since]) => ({ ...heldRecord(id), missing_since: since }));
    expect((await upload(api, attempt, { records })).status).toBe(200);
  }
  if (!fails) await job.end(attempt.ref);
  const diagnosis = { code: 'failed', summary: '', detail: '', what_to_do: '' };
  await job.finish(fails ? { kind: 'failed', diagnosis } : { kind: 'completed' });
  return job.id;
}

type Environment = { env: string; removals_fresh_at: string | null; removals_listed_by: number | null };

async function environment(): Promise<Environment | undefined> {
  const { body } = await api.call('GET', '/targets/alpha');
  return (body as { environments: Environment[] }).environments.find(({ env }) => env === 'dev');
}

async function fresh(): Promise<number | null> {
  const at = (await environment())?.removals_fresh_at ?? null;
  return at === null ? null : Date.parse(at);
}

const now = () => new Date().toISOString();

it('is the time when the newest completed job with a proven listing began to read', async () => {
  expect(await fresh()).toBeNull();
  await ran({ listing: 'unproven' });
  await ran({ where: '/delta/alpha/dev' });
  expect(await fresh()).toBeNull();
  await ran({ listing: 'complete' });
  const first = await newestBegin();
  expect(await fresh()).toBe(first);
  await ran({ listing: 'unproven' });
  await ran({ where: '/delta/alpha/dev' });
  await ran({ listing: 'complete', fails: true });
  expect(await fresh()).toBe(first);
  const newest = await ran({ where: '/delete/alpha/dev', listing: 'complete' });
  expect(await fresh()).toBe(await newestBegin());
  expect((await environment())?.removals_listed_by).toBe(newest);
  expect(await fresh()).toBeGreaterThan(first);
});

it('is the begin of the job whose load a later one resumes', async () => {
  const failed = await ran({ fails: true });
  const began = await newestBegin();
  await ran({ resumes: failed, listing: 'complete' });
  expect(await fresh()).toBe(began);
  expect(await newestBegin()).toBeGreaterThan(began);
});

it('stays at the job before the first record that is held now was missed', async () => {
  await ran({ listing: 'complete' });
  const before = await fresh();
  const first = now();
  await ran({ listing: 'complete', held: 1, tells: { a: first } });
  expect(await fresh()).toBe(before);
  const second = now();
  await ran({ listing: 'complete', held: 2, tells: { a: first, b: second } });
  expect(await fresh()).toBe(before);
  // The removal of `a` leaves `b`, which the job before still listed.
  await ran({ listing: 'complete', held: 1, tells: { b: second } });
  const between = await fresh();
  expect(between).toBeGreaterThan(before ?? 0);
  expect(between).toBeLessThan(Date.parse(second));
  await ran({ tells: {} });
  expect(await fresh()).toBeGreaterThan(Date.parse(second));
});

it('is the begin of the plan after its apply, unless that holds records', async () => {
  const { planId, born } = await applied();
  expect(await fresh()).toBe(born);
  expect((await environment())?.removals_listed_by).toBe(planId);
  await applied({ held: 1, tells: { a: new Date(Date.now() + 60_000).toISOString() } });
  expect(await fresh(), 'the listing of the plan lacked the record').toBe(born);
});

it('a clock of the sink that is ahead does not hide that a record is held', async () => {
  await ran({ listing: 'complete' });
  const before = await fresh();
  await ran({ listing: 'complete', held: 1, tells: { a: '2090-01-01T00:00:00Z' } });
  expect(await fresh()).toBe(before);
});

it('a job that holds records and could not tell them does not count', async () => {
  await ran({ listing: 'complete' });
  const before = await fresh();
  await ran({ listing: 'complete', held: 3 });
  expect(await fresh()).toBe(before);
});

it('a set that the previous version has stored counts from its birth', async () => {
  await ran({ listing: 'complete' });
  const before = await fresh();
  await ran({ listing: 'complete', held: 1, tells: { a: now() } });
  await sql`UPDATE loss_uploads SET oldest = NULL`.execute(api.db);
  expect(await fresh()).toBe(before);
});

it('begins anew after a rollback of the whole target or a take-over, not after a preview or a rollback of some records', async () => {
  await ran({ listing: 'complete' });
  const before = await fresh();
  await ran({ where: '/rollback/alpha/dev', json: { preview: true } });
  await ran({ where: '/rollback/alpha/dev', json: { ids: ['a'] } });
  expect(await fresh()).toBe(before);
  await ran({ where: '/rollback/alpha/dev' });
  expect(await fresh()).toBeNull();
  await ran({ listing: 'complete' });
  expect(await fresh()).not.toBeNull();
  await ran({ where: '/take-over/alpha/dev' });
  expect(await fresh()).toBeNull();
});

it('an upgrade knows it from the last success', async () => {
  await ran({ listing: 'complete' });
  await sql`DROP TABLE stories, proven_listings; ALTER TABLE loss_uploads DROP COLUMN oldest`.execute(api.db);
  await up(api.db as unknown as Kysely<unknown>);
  await addBegin(api.db as unknown as Kysely<unknown>);
  expect(await fresh()).not.toBeNull();
});

it('is found in the index, however many listings a target has had', async () => {
  await sql`INSERT INTO proven_listings (env, target, at, job_id)
    SELECT 'dev', 'alpha', now() - nth * interval '5 minutes', nth FROM generate_series(1, 5000) AS nth`.execute(
    api.db,
  );
  await sql`ANALYZE proven_listings`.execute(api.db);
  const { rows } = await sql<{ 'QUERY PLAN': string }>`
    EXPLAIN SELECT * FROM ${freshRemovals(sql`'dev'`, sql`'alpha'`)} fresh`.execute(api.db);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(plan).toContain('proven_listings_begin');
  expect(plan).not.toContain('Sort');
});
