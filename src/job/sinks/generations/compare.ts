/** Compares two generations by id and time in one merge pass, with one page of each in memory. Pure. */
import { isAfter } from '../../sources/byte-order.ts';

/** An id and its time in milliseconds; null for a document without one (written by another program). */
export type Stamp = { readonly id: string; readonly updatedAt: number | null };

/** The stamps of a generation, in byte order of their ids, one page at a time. */
export type Stamps = AsyncGenerator<readonly Stamp[]>;

export type Change = {
  readonly kind: 'added' | 'updated' | 'removed' | 'same';
  readonly id: string;
  /** The live document; null: none. */
  readonly now: Stamp | null;
  /** Its successor; null: none. */
  readonly next: Stamp | null;
};

/** Yields every id of both, in byte order. A document with another time counts as updated. */
export async function* compareStamps(of: { now: Stamps; next: Stamps }): AsyncGenerator<Change> {
  const [now, next] = [each(of.now), each(of.next)];
  let [theirs, ours] = [await now(), await next()];
  while (theirs || ours) {
    if (theirs && (!ours || isAfter(ours.id, theirs.id))) {
      yield { kind: 'removed', id: theirs.id, now: theirs, next: null };
      theirs = await now();
    } else if (ours && (!theirs || isAfter(theirs.id, ours.id))) {
      yield { kind: 'added', id: ours.id, now: null, next: ours };
      ours = await next();
    } else if (ours && theirs) {
      const kind = ours.updatedAt === theirs.updatedAt ? 'same' : 'updated';
      yield { kind, id: ours.id, now: theirs, next: ours };
      [theirs, ours] = [await now(), await next()];
    }
  }
}

/** Returns the next stamp on each call; undefined at the end. */
function each(pages: Stamps): () => Promise<Stamp | undefined> {
  let page: readonly Stamp[] = [];
  let at = 0;
  return async () => {
    if (at === page.length) {
      const next = await pages.next();
      if (next.done) return undefined;
      [page, at] = [next.value, 0];
    }
    return page[at++];
  };
}
