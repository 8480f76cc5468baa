/** Tells the api the whole waiting set of the sink, page by page. Safe to repeat. */
import type { LossReason } from '../../domain/loss.ts';
import type { HeldRecord } from '../sinks/held-records.ts';
import type { HeldRecords } from '../sinks/sink.ts';
import type { Api } from './job-route.ts';
import { uploadPages } from './upload-pages.ts';

/**
 * @returns why the set was not reported, in words; null: it was, or the api is older than losses and the set is empty
 * @throws JobError `refused` as for a report
 */
export async function uploadHeld(held: HeldRecords, api: Api): Promise<string | null> {
  const live = await held.live();
  // An older api refuses a page with a reason.
  const reason = (await held.isUnusual()) ? `"reason":"${'anomaly' satisfies LossReason}",` : '';
  const unsent = await uploadPages(api, {
    path: '/held',
    what: 'held records',
    read: () => textsOf(held),
    facts: () => `"live":${live},${reason}`,
  });
  if (unsent === null || (unsent.lacksRoute && unsent.isEmpty)) return null;
  return unsent.why;
}

async function* textsOf(held: HeldRecords): AsyncGenerator<readonly string[]> {
  for await (const records of held.read()) yield records.map(textOf);
}

/** The record's own JSON is not parsed: its numbers keep all their digits. */
function textOf({ id, missingSince, lastSeen, updatedAt, json }: HeldRecord): string {
  const facts = JSON.stringify({
    id,
    missing_since: missingSince,
    last_seen: lastSeen,
    updated_at: updatedAt,
  });
  return `${facts.slice(0, -1)},"record":${json ?? 'null'}}`;
}
