/** Limits open event streams per process and per caller, so that one caller cannot take them all. */
import type { Context } from 'hono';
import { knownUser, networkOfCaller } from '../auth/request-origin.ts';
import type { ApiEnv } from '../context.ts';
import { Problem } from '../http/problem.ts';

const MOST = 200;
/** Limit of one user or token. */
const MOST_OF_ONE = 50;
/** Limit of one network with public reads; all clients behind an ingress may share its address. */
const MOST_OF_ADDRESS = 100;

/** The caller of a stream. */
export type StreamCaller = { readonly id: string; readonly isAddress: boolean };

export function streamCaller(c: Context<ApiEnv, string>): StreamCaller {
  const user = knownUser(c);
  return user
    ? { id: `user ${user.id}`, isAddress: false }
    : { id: `address ${networkOfCaller(c)}`, isAddress: true };
}

export class StreamSlots {
  readonly #most: number;
  readonly #mostOf: { readonly one: number; readonly address: number };
  readonly #onCount: ((open: number) => void) | undefined;
  readonly #open = new Map<string, number>();
  #all = 0;

  constructor(options: {
    most?: number | undefined;
    mostOfOne?: number | undefined;
    mostOfAddress?: number | undefined;
    onCount?: ((open: number) => void) | undefined;
  }) {
    this.#most = options.most ?? MOST;
    this.#mostOf = {
      one: options.mostOfOne ?? MOST_OF_ONE,
      address: options.mostOfAddress ?? MOST_OF_ADDRESS,
    };
    this.#onCount = options.onCount;
  }

  /** Takes a slot. @returns a function that releases it, once. @throws Problem 503 if all are taken, 429 at the caller's limit */
  take({ id, isAddress }: StreamCaller): () => void {
    const own = this.#open.get(id) ?? 0;
    const mostOfOne = isAddress ? this.#mostOf.address : this.#mostOf.one;
    if (own >= mostOfOne) throw tooManyStreamsOfOne(mostOfOne);
    if (this.#all >= this.#most) throw tooManyStreams(this.#most);
    this.#count(id, 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.#count(id, -1);
      isTaken = false;
    };
  }

  #count(id: string, change: 1 | -1): void {
    const own = (this.#open.get(id) ?? 0) + change;
    if (own === 0) this.#open.delete(id);
    else this.#open.set(id, own);
    this.#all += change;
    this.#onCount?.(this.#all);
  }
}

/** Examples of the errors of opening a stream, for the OpenAPI document. */
export const STREAM_REFUSALS = [tooManyStreamsOfOne(MOST_OF_ONE), tooManyStreams(MOST)];

function tooManyStreams(open: number): Problem {
  return new Problem(503, 'too_many_streams', `all ${open} event streams are in use; try again later`, {
    headers: { 'retry-after': '10' },
  });
}

function tooManyStreamsOfOne(open: number): Problem {
  return new Problem(
    429,
    'too_many_streams',
    `you have ${open} event streams open, the limit for one caller; close one of them`,
    { headers: { 'retry-after': '10' } },
  );
}
