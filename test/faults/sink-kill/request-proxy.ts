/** Counts the requests of a program to OpenSearch or Solr, and cuts it off before or after one of them. */
import { type BendingProxy, type Passing, startBendingProxy } from '../../support/bending-proxy.ts';
import type { Cut } from '../../job/support/statement-proxy.ts';

export type RequestProxy = AsyncDisposable & {
  readonly url: string;
  /** Requests so far. */
  readonly count: number;
  readonly cut: boolean;
};

/**
 * @param of.counts counts only these requests, of which the cut names one
 * @param of.onRequest called with the number of each request before it is passed on
 */
export async function startRequestProxy(of: {
  url: string;
  cut?: Cut;
  counts?: (request: Passing) => boolean;
  onCut?: () => void;
  onRequest?: (number: number) => void;
}): Promise<RequestProxy> {
  const proxy: BendingProxy = await startBendingProxy(of.url);
  let count = 0;
  let cut = false;
  let answering: unknown;
  const isOver = (): boolean => cut && of.cut?.ends === 'program';
  const end = (): 'cut' => {
    cut = true;
    of.onCut?.();
    return 'cut';
  };
  proxy.before = (request) => {
    if (isOver()) return 'cut';
    if (of.counts?.(request) === false) return undefined;
    count += 1;
    of.onRequest?.(count);
    if (count !== of.cut?.at) return undefined;
    if (of.cut.when === 'before') return end();
    answering = request;
    return undefined;
  };
  // What the server has begun it also ends, but nobody hears of it.
  proxy.after = (request) => (request === answering ? end() : isOver() ? 'cut' : undefined);
  return {
    url: proxy.url,
    get count() {
      return count;
    },
    get cut() {
      return cut;
    },
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}
