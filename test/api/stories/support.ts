/** Plays the program of a story: what it tells, and how the api shows it. */
import { type Api, claimed } from '../support.ts';

export const AT = '2026-11-22T01:08:20.000Z';
export const EMPTY = { live: null, kept: null, last_seen: null, begins: null, older: 0, entries: [] };
export const valueOf = (name: string) => ({ updated_at: AT, record: { name } });

export function entry(more: object = {}) {
  return {
    at: AT,
    kind: 'updated',
    action: 'sync',
    job_uid: null,
    reason: null,
    changed: ['name'],
    changed_by_others: false,
    before: valueOf('one'),
    after: valueOf('two'),
    ...more,
  };
}

/** The newest story of a record of alpha in dev. */
export async function showStory(api: Api, id: string) {
  return await api.call('GET', `/targets/alpha/dev/records/${encodeURIComponent(id)}`);
}

/** A job that is asked for a story and has begun. */
export async function beginStory(api: Api, id: string) {
  const job = await claimed(api, '/story/alpha/dev', { json: { id } });
  const { ref, token } = await job.begin();
  const tell = (json: object) =>
    api.call('POST', `/jobs/${job.id}/story`, { token, json: { ...EMPTY, ...json } });
  const endAll = async () => {
    await job.end(ref);
    await job.finish();
  };
  return { ...job, tell, endAll };
}

/** A job that has told one. @returns its id */
export async function tellStory(api: Api, id: string, json: object = {}) {
  const job = await beginStory(api, id);
  const { status, text } = await job.tell(json);
  if (status !== 200) throw new Error(text);
  await job.endAll();
  return job.id;
}
