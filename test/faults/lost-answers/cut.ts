/** One call whose answer is lost: the server acts, and whoever asked never hears of it. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Link } from '../rig/toxiproxy.ts';

const ACTS_WITHIN_MS = 1_500;

export type Lane = {
  readonly name: string;
  /** How many of the 1,000 calls. */
  readonly full: number;
  /** How many at a time, each over a link of its own. */
  readonly abreast: number;
  /** @returns one call, to be repeated: whether the server acted on it while its answer was lost */
  open(index: number): Promise<{ once(): Promise<boolean>; close(): Promise<void> }>;
};

/**
 * Makes the call on a connection that is open already, while the link takes every answer away, until the server is seen
 * to have acted; then the link is whole again and the call may come to its end.
 * @param options.armed true: the call arms the link by itself, in its midst
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
