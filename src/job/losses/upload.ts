/** Tells the api the whole waiting set of the sink, page by page. Safe to repeat. */
import { z } from 'zod';
import type { LossReason } from '../../domain/loss.ts';
import { JobError } from '../job-error.ts';
import type { HeldRecord } from '../sinks/held-records.ts';
import type { HeldRecords } from '../sinks/sink.ts';
import { type Api, ApiUnavailable, callJobRoute, type JobAnswer, REFUSALS } from './job-route.ts';

const MOST_RECORDS = 500;
/** The api takes twice as much. */
const MOST_BYTES = 1024 * 1024 - 4096;
/** Uploads begun again because the api expected another page. */
const MOST_RESTARTS = 2;

/**
 * @returns why the set was not reported, in words; null: it was, or the api is older than losses and the set is empty
 * @throws JobError `refused` as for a report
 */
export async function uploadHeld(held: HeldRecords, api: Api): Promise<string | null> {
  const live = await held.live();
  // An older api refuses a page with a reason.
  const reason = (await held.isUnusual?.()) ? ('anomaly' satisfies LossReason) : undefined;
  try {
    for (let restarts = 0; ; restarts += 1) {
      const { isOutOfOrder, why } = await uploadOnce(held, { live, reason }, api);
      if (!isOutOfOrder) return why;
      if (restarts === MOST_RESTARTS)
        return `the api expected another page ${MOST_RESTARTS + 1} times; is another attempt of this job running?`;
    }
  } catch (error) {
    if (error instanceof ApiUnavailable) return error.message;
    throw error;
  }
}

type End = { readonly isOutOfOrder: boolean; readonly why: string | null };

async function uploadOnce(
  held: HeldRecords,
  told: { live: number; reason: LossReason | undefined },
  api: Api,
): Promise<End> {
  const end = (why: string | null): End => ({ isOutOfOrder: false, why });
  const facts = JSON.stringify(told).slice(1, -1);
  let page = 0;
  for await (const { records, last } of pagesOf(held)) {
    const body = `{"page":${page},"last":${last},${facts},"records":[${records.join(',')}]}`;
    const answer = await callJobRoute(api, { path: '/held', body });
    const isEmpty = page === 0 && last && records.length === 0;
    if (answer.status === 404) return end(isEmpty ? null : 'the api knows no held records (404); upgrade it');
    if (isOutOfOrder(answer)) return { isOutOfOrder: true, why: null };
    if (REFUSALS.includes(answer.status))
      throw new JobError('refused', `the api refused the held records (answered ${answer.status})`);
    if (answer.status !== 200) return end(`the api answered ${answer.status}`);
    page += 1;
  }
  return end(null);
}

const outOfOrder = z.object({ code: z.literal('page_out_of_order') });

function isOutOfOrder({ status, text }: JobAnswer): boolean {
  if (status !== 409) return false;
  try {
    return outOfOrder.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}

type Page = { readonly records: readonly string[]; readonly last: boolean };

/** At least one page: an empty set is told too. */
async function* pagesOf(held: HeldRecords): AsyncGenerator<Page> {
  let records: string[] = [];
  let bytes = 0;
  for await (const some of held.read()) {
    for (const record of some) {
      const text = textOf(record);
      const size = Buffer.byteLength(text) + 1;
      if (records.length === MOST_RECORDS || (records.length > 0 && bytes + size > MOST_BYTES)) {
        yield { records, last: false };
        records = [];
        bytes = 0;
      }
      records.push(text);
      bytes += size;
    }
  }
  yield { records, last: true };
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
