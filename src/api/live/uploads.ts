/** What the uploads of programs have in common: pages in order, records in order, and no odd record that stops them. */
import type { PageVerdict } from '../../db/page-uploads.ts';
import { MOST_INTEGER } from '../http/fields.ts';
import { bodyProblem, Problem } from '../http/problem.ts';
import { z } from '@hono/zod-openapi';
import { type Attempt, refusedAttempt } from './attempt-token.ts';
import { isFit } from './fit-record.ts';

export const UPLOAD_LIMIT = 2 * 1024 * 1024;
export const MOST_RECORDS = 500;
export const MOST_ID = 1000;
/** The body, the list and its item lie around a record. */
const DEPTH_OF_RECORD = 3;

/** @param whole what the last page completes, as a sentence */
export function pageOfUpload(whole: string) {
  return {
    page: z
      .int()
      .min(0)
      .max(MOST_INTEGER)
      .describe('Number of the page, from 0. Page 0 begins a new upload and discards an unfinished one.'),
    last: z.boolean().describe(`True on the last page: ${whole}`),
  };
}

export const storedAnswer = z.object({ stored: z.int().describe('Records of this upload so far.') });

/**
 * The answer to a page.
 * @param what the uploaded records, as a problem calls them
 * @throws Problem
 */
export function answerOf(
  verdict: PageVerdict,
  {
    what,
    of,
    page,
  }: { what: string; of: Attempt; page: { page: number; records: readonly { id: string }[] } },
): z.infer<typeof storedAnswer> {
  switch (verdict.kind) {
    case 'stored':
      return { stored: verdict.stored };
    case 'out_of_order':
      throw pageOutOfOrder(what, page.page, verdict.expected);
    case 'unsorted':
      throw unsorted(page.records[verdict.at]?.id ?? '');
    case 'too_many':
      throw tooMany(what, verdict.most);
    default:
      throw refusedAttempt[verdict.kind](of);
  }
}

export function pageOutOfOrder(what: string, page: number, expected: number): Problem {
  return new Problem(
    409,
    'page_out_of_order',
    `page ${page} of ${what} came when page ${expected} was expected; begin again with page 0`,
    { members: { expected } },
  );
}

function unsorted(id: string): Problem {
  return bodyProblem([
    { field: 'records', message: `'${id}' is not behind the record before it, in the byte order of the ids` },
  ]);
}

function tooMany(what: string, most: number): Problem {
  return bodyProblem([{ field: 'records', message: `all pages of ${what} together hold at most ${most}` }]);
}

/**
 * Leaves out the contents that no body may have, such as a field `__proto__`: one odd record must not keep all others
 * from being shown.
 * @param contents the fields of a record that hold contents
 */
export function withoutUnfitContents(contents: readonly string[]): (body: unknown) => unknown {
  return (body) => {
    const { records } = (body ?? {}) as { records?: unknown };
    if (!Array.isArray(records)) return body;
    const mended = records.map((one: unknown) =>
      typeof one === 'object' && one !== null ? withoutUnfit(one, contents) : one,
    );
    return { ...(body as object), records: mended };
  };
}

function withoutUnfit(record: object, contents: readonly string[]): object {
  const unfit = Object.entries(record).filter(
    ([field, value]) => contents.includes(field) && !isFit(value, DEPTH_OF_RECORD),
  );
  return unfit.length === 0
    ? record
    : { ...record, ...Object.fromEntries(unfit.map(([field]) => [field, null])) };
}
