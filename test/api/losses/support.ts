/** Plays the sync program of a job that holds records, and people with their rights who answer. */
/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { addUser } from '../../../src/db/access/users.ts';
import { signToken } from '../../../src/api/auth/tokens.ts';
import { type Grant, unlimited } from '../../../src/domain/permission.ts';
import { type Api, claim, claimed, justNow, SECRET } from '../support.ts';

export const MISSING_SINCE = '2026-11-22T01:00:00.000Z';

export function heldRecord(id: string) {
  return {
    id,
    missing_since: MISSING_SINCE,
    last_seen: '2026-11-21T01:00:00.000Z',
    updated_at: null,
    record: { id, name: `the record ${id}` },
  };
}

/** What the contract says of the digest, written here a second time. */
export function digestOf(ids: readonly string[]): string {
  const sorted = ids.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  const lines = sorted.map((id) => `${JSON.stringify(id)}\n`).join('');
  return createHash('sha256').update(lines).digest('hex').slice(0, 32);
}

type Attempt = { readonly ref: { readonly jobId: number }; readonly token: string };

export async function upload(api: Api, { ref, token }: Attempt, json: object) {
  return await api.call('POST', `/jobs/${ref.jobId}/held`, {
    token,
    json: { page: 0, last: true, live: 100, records: [], ...json },
  });
}

/** A job of alpha in dev that tells these held records and ends. @param by the token of its starter */
export async function hold(api: Api, ids: readonly string[], by?: string) {
  const job = await claimed(api, '/sync/alpha/dev', by === undefined ? {} : { token: by });
  const attempt = await job.begin();
  const answer = await upload(api, attempt, { records: ids.toSorted().map(heldRecord) });
  if (answer.status !== 200) throw new Error(answer.text);
  await job.end(attempt.ref);
  await job.finish();
  return job.id;
}

/** The loss that waits, as JSON; undefined if none does. */
export async function waiting(api: Api) {
  const { body } = await api.call('GET', '/losses');
  return body[0];
}

/** The removal under way, claimed and begun. */
export async function removalOf(api: Api, id: number) {
  const job = await claim(api, { id, env: 'dev', target: 'alpha' });
  return { job, attempt: await job.begin() };
}

let made = 0;
/** A new user's token. */
export async function person(api: Api, grant: Grant = unlimited('admin')) {
  const username = `person${++made}`;
  await addUser(api.db, { username, passwordHash: 'none', grant }, { principal: 'test' });
  return { username, token: await signToken([SECRET], { sub: username, authTime: justNow() }) };
}

export async function forgetAll(api: Api): Promise<void> {
  await sql`TRUNCATE jobs, idempotency_keys, targets, losses, loss_uploads, loss_records, loss_pins, notices CASCADE`.execute(
    api.db,
  );
}
