/** Tells the api the story of a record in one request. Safe to repeat: the api replaces what it was told before. */
import { JobError } from '../job-error.ts';
import { type Api, callJobRoute, REFUSALS } from '../losses/job-route.ts';
import type { Story, StoryEntry, StoryValue } from '../sinks/story.ts';
import { maskJson } from './mask-json.ts';

/** The api takes twice as much. */
const MOST_BYTES = 1024 * 1024 - 4096;

/** @throws JobError */
export async function uploadStory(story: Story, api: Api): Promise<void> {
  const { status, text } = await callJobRoute(api, { path: '/story', body: bodyOf(story) });
  if (status === 200) return;
  if (REFUSALS.includes(status))
    throw new JobError('refused', `the api refused the story (answered ${status})`);
  if (status === 404)
    throw new JobError(
      'failed',
      'the api takes no story from this job (404); ask for one there: syncrator story',
    );
  throw new JobError('failed', `the api answered ${status} to the story: ${text.slice(0, 300)}`);
}

/** The values' own JSON is not parsed: its numbers keep all their digits. Older entries are left out, and counted. */
function bodyOf({ live, kept, lastSeen, begins, entries, older }: Story): string {
  const head = JSON.stringify({
    kept: kept && { reason: kept.reason, since: kept.since, checked: kept.checked },
    last_seen: lastSeen,
    begins: begins && { at: begins.at, action: begins.action, job_uid: begins.jobUid, why: begins.why },
  });
  const value = valueText(live);
  const shown: string[] = [];
  let bytes = Buffer.byteLength(head) + Buffer.byteLength(value);
  for (const entry of entries) {
    const text = entryText(entry);
    bytes += Buffer.byteLength(text) + 1;
    if (bytes > MOST_BYTES) break;
    shown.push(text);
  }
  const left = older + entries.length - shown.length;
  return `${head.slice(0, -1)},"live":${value},"older":${left},"entries":[${shown.join(',')}]}`;
}

function entryText(entry: StoryEntry): string {
  const { at, kind, action, jobUid, reason, changed, changedByOthers, before, after } = entry;
  const facts = JSON.stringify({
    at,
    kind,
    action,
    job_uid: jobUid,
    reason,
    changed,
    changed_by_others: changedByOthers,
  });
  return `${facts.slice(0, -1)},"before":${valueText(before)},"after":${valueText(after)}}`;
}

function valueText(value: StoryValue | null): string {
  if (value === null) return 'null';
  const { updatedAt, json } = value;
  const record = json === null || !json.startsWith('{') ? 'null' : maskJson(json);
  return `{"updated_at":${JSON.stringify(updatedAt)},"record":${record}}`;
}
