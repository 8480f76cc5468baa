/** Uploads records to a route of the api, page by page, and begins again where the api expects another page. Safe to repeat. */
import { z } from 'zod';
import { JobError } from '../job-error.ts';
import { type Api, ApiUnavailable, callJobRoute, type JobAnswer, REFUSALS } from './job-route.ts';

const MOST_RECORDS = 500;
/** The api takes twice as much. */
const MOST_BYTES = 1024 * 1024 - 4096;
/** Uploads begun again because the api expected another page. */
const MOST_RESTARTS = 2;

export type Paged = {
  /** Beside `/report`. */
  readonly path: string;
  /** The records in words, such as `held records`. */
  readonly what: string;
  /** JSON of the records, some at a time; called for each upload. */
  readonly read: () => AsyncIterable<readonly string[]>;
  /** What a page tells besides, as the members of a JSON object. */
  readonly facts: (page: { readonly last: boolean }) => string;
};

/** Why an upload did not end, in words; `lacksRoute`: the api is older than the route. */
export type Unsent = { readonly why: string; readonly lacksRoute?: boolean; readonly isEmpty?: boolean };

/** @returns null: all was stored @throws JobError `refused` as for a report */
export async function uploadPages(api: Api, paged: Paged): Promise<Unsent | null> {
  try {
    for (let restarts = 0; ; restarts += 1) {
      const unsent = await uploadOnce(api, paged);
      if (unsent !== 'out of order') return unsent;
      if (restarts === MOST_RESTARTS)
        return {
          why: `the api expected another page ${MOST_RESTARTS + 1} times; is another attempt of this job running?`,
        };
    }
  } catch (error) {
    if (error instanceof ApiUnavailable) return { why: error.message };
    throw error;
  }
}

async function uploadOnce(
  api: Api,
  { path, what, read, facts }: Paged,
): Promise<Unsent | null | 'out of order'> {
  let page = 0;
  for await (const { records, last } of pagesOf(read())) {
    const body = `{"page":${page},"last":${last},${facts({ last })}"records":[${records.join(',')}]}`;
    const answer = await callJobRoute(api, { path, body });
    const isEmpty = page === 0 && last && records.length === 0;
    if (answer.status === 404)
      return { why: `the api knows no ${what} (404); upgrade it`, lacksRoute: true, isEmpty };
    if (isOutOfOrder(answer)) return 'out of order';
    if (REFUSALS.includes(answer.status))
      throw new JobError('refused', `the api refused the ${what} (answered ${answer.status})`);
    if (answer.status !== 200) return { why: `the api answered ${answer.status}` };
    page += 1;
  }
  return null;
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
async function* pagesOf(texts: AsyncIterable<readonly string[]>): AsyncGenerator<Page> {
  let records: string[] = [];
  let bytes = 0;
  for await (const some of texts) {
    for (const text of some) {
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
