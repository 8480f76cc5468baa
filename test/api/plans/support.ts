/** Plays the sync program of a job that plans, and of one that applies a plan. */
/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { sql } from 'kysely';
import { type Api, type Asked, claimed } from '../support.ts';

export const DIGEST = '3f0c9a71b2d84e65'.repeat(4);

type Kind = 'added' | 'updated' | 'removed' | 'held';

/** `added a`, with contents as that kind has them. */
export function planned(kind: Kind, id: string) {
  const before = { id, name: `old ${id}` };
  const after = { id, name: `new ${id}` };
  return {
    id,
    kind,
    before: kind === 'added' ? null : before,
    after: kind === 'added' || kind === 'updated' ? after : null,
  };
}

export const SOME = [
  planned('added', 'b'),
  planned('updated', 'a'),
  planned('updated', 'c'),
  planned('removed', 'a2'),
];

export function summaryOf(records: readonly { kind: Kind }[], more: object = {}) {
  const count = (kind: Kind) => records.filter((record) => record.kind === kind).length;
  return {
    of: 'sync',
    digest: DIGEST,
    live: 100,
    listed: 99,
    added: count('added'),
    updated: count('updated'),
    removed: count('removed'),
    held: count('held'),
    kept: 0,
    watermark: '2026-11-22T01:00:00.000Z',
    ...more,
  };
}

type Attempt = { readonly ref: { readonly jobId: number }; readonly token: string };

export async function upload(api: Api, { ref, token }: Attempt, json: object) {
  return await api.call('POST', `/jobs/${ref.jobId}/plan`, { token, json });
}

/** A job that plans these records, and ends. @returns the id of the plan */
export async function plan(
  api: Api,
  {
    records = SOME,
    where = '/plan/sync/alpha/dev',
    summary = {},
    asked = {},
  }: {
    records?: readonly ReturnType<typeof planned>[];
    where?: string;
    summary?: object;
    asked?: Asked;
  } = {},
) {
  const job = await claimed(api, where, asked);
  const attempt = await job.begin();
  const page = { page: 0, last: true, records, summary: summaryOf(records, summary) };
  const answer = await upload(api, attempt, page);
  if (answer.status !== 200) throw new Error(answer.text);
  await job.end(attempt.ref);
  await job.finish();
  return job.id;
}

/** A job of alpha in dev that completes. */
export async function completed(api: Api, where = '/sync/alpha/dev', asked: Asked = {}) {
  const job = await claimed(api, where, asked);
  const { ref } = await job.begin();
  await job.end(ref);
  await job.finish();
  return job.id;
}

export async function apply(api: Api, id: number, digest = DIGEST, asked: Asked = {}) {
  return await api.call('POST', `/plans/${id}/apply`, { json: { digest }, ...asked });
}

export async function show(api: Api, id: number) {
  return (await api.call('GET', `/plans/${id}`)).body;
}

export async function recordsOf(api: Api, id: number, query = ''): Promise<string[]> {
  const { body } = await api.call('GET', `/plans/${id}/records${query}`);
  return body.map((record: { kind: string; id: string }) => `${record.kind} ${record.id}`);
}

export async function forgetAll(api: Api): Promise<void> {
  await sql`TRUNCATE jobs, idempotency_keys, targets, plans, plan_uploads, plan_records, notices CASCADE`.execute(
    api.db,
  );
}
