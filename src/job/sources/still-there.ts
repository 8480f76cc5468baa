/** Re-checks ids that a listing of source `ndjson` lacks: asks for each id again. */
import { type Patience, retryThroughOutage } from '../http/outage.ts';
import { isAfter, justBefore } from './byte-order.ts';
import { requestPage } from './ndjson-page.ts';
import type { SourceServer } from './source-server.ts';
import { checkId } from './record-check.ts';

/** Few concurrent requests, since the source has just listed everything. */
const CONCURRENCY = 8;
const ANSWER_LINES = 100;

/** @param ids in byte order */
export async function stillThere(
  ids: readonly string[],
  pages: SourceServer,
  patience: Patience,
): Promise<ReadonlySet<string>> {
  const share = Math.ceil(ids.length / CONCURRENCY);
  const shares = Array.from({ length: CONCURRENCY }, (_, nth) => ids.slice(nth * share, (nth + 1) * share));
  const found = await Promise.all(shares.map((some) => askedFor(some, pages, patience)));
  return new Set(found.flat());
}

async function askedFor(
  ids: readonly string[],
  pages: SourceServer,
  patience: Patience,
): Promise<readonly string[]> {
  const there: string[] = [];
  for (let next = 0; next < ids.length; ) {
    const answer = await retryThroughOutage(patience, () => idsAfter(justBefore(ids[next] ?? ''), pages));
    const { last } = answer;
    for (let isFirst = true; next < ids.length; next += 1, isFirst = false) {
      const id = ids[next] ?? '';
      const settled = !answer.more || (last !== null && !isAfter(id, last));
      // An answer that ends before the requested id proves nothing; the id counts as present.
      if (!settled && !isFirst) break;
      if (!settled || answer.unreadable || answer.ids.has(id)) there.push(id);
    }
  }
  return there;
}

type Answer = {
  readonly ids: ReadonlySet<string>;
  readonly last: string | null;
  readonly more: boolean;
  /** An id is unreadable or out of order, or the end may be missing: the answer cannot prove that an id is absent. */
  readonly unreadable: boolean;
};

async function idsAfter(after: string | null, pages: SourceServer): Promise<Answer> {
  const query = { fields: 'id', limit: String(ANSWER_LINES), ...(after === null ? {} : { after }) };
  const page = await requestPage(pages, query);
  const ids = new Set<string>();
  let last: string | null = null;
  let unreadable = !page.framed;
  for await (const lines of page.lines) {
    for (const line of lines) {
      if (typeof line === 'string' && line.trim() === '') continue;
      const id = typeof line === 'string' ? checkId(line) : null;
      if (typeof id !== 'string' || (last !== null && !isAfter(id, last))) {
        unreadable = true;
        continue;
      }
      ids.add(id);
      last = id;
    }
  }
  return { ids, last, more: page.more, unreadable };
}
