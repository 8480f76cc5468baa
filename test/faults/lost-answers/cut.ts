/** One call whose answer is lost: the server acts, but the caller never hears of it. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Link } from '../rig/toxiproxy.ts';

const ACTS_WITHIN_MS = 1_500;

export type Lane = {
  readonly name: string;
  /** Its share of the 1,000 calls. */
  readonly full: number;
  /** Calls at once, each over its own link. */
  readonly abreast: number;
  /** @returns one call, for repeating: whether the server acted while its answer was lost */
  open(index: number): Promise<{ once(): Promise<boolean>; close(): Promise<void> }>;
};

/**
 * Makes the call on an open connection while the link drops every answer, until the server is seen to have acted;
 * then restores the link and lets the call end.
 * @param options.armed true: the call itself arms the link, in the middle
 */
export async function loseAnswer<T>(
  link: Link,
  call: () => Promise<T>,
  acted: () => Promise<boolean>,
  options: { armed?: boolean; before?: () => Promise<unknown> } = {},
): Promise<{ acted: boolean; result: PromiseSettledResult<T> }> {
  if (options.armed !== true) await link.cutAnswers();
  const result = Promise.allSettled([call()]);
  let seen = false;
  for (const deadline = Date.now() + ACTS_WITHIN_MS; !seen && Date.now() < deadline; await wait(10))
    seen = await acted();
  if (seen) await options.before?.();
  await link.heal();
  return { acted: seen, result: (await result)[0] };
}
