/**
 * Decides whether a password may be tried now. Guessing is slow, and cannot lock a user out: a browser or network from
 * which the user has logged in is delayed only by its own bad tries.
 */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { GrowingDelay } from './growing-delay.ts';

/** Tries a minute from one network: for names that have failed there before, and for all names. */
const BAD_TRIES = 20;
const ALL_TRIES = 120;
/** Delays for a name at one place, and for a name at all places where it is unknown. */
const AT_PLACE = { free: BAD_TRIES, mostMs: 300_000, forgetMs: 900_000 };
const ANYWHERE = { free: 60, mostMs: 30_000, forgetMs: 900_000 };
const MOST_KNOWN = 10_000;

export type Try = {
  readonly username: string;
  /** The result of `networkOf`. */
  readonly network: string;
  /** The id of a browser in which this user has logged in. */
  readonly device: string | undefined;
};

/** An allowed try; counts as bad until `good` or `takeBack`. */
export type Begun = {
  /** Whether bad tries from other places are ignored. */
  readonly isKnown: boolean;
  good(): Promise<void>;
  /** Uncounts a try without a result. */
  takeBack(): Promise<void>;
};

export class LoginLimits {
  readonly #tries = new RateLimiterMemory({ points: ALL_TRIES, duration: 60 });
  readonly #atPlace = new GrowingDelay(AT_PLACE);
  readonly #anywhere = new GrowingDelay(ANYWHERE);
  /** Pairs of network and name with a successful login. */
  readonly #known = new Set<string>();

  /** Begins a try. @returns seconds to wait if it is not allowed now */
  async begin({ username, network, device }: Try): Promise<Begun | number> {
    const place = keyOf(device ?? network, username);
    const isKnown = device !== undefined || this.#known.has(place);
    const wait = Math.max(this.#atPlace.wait(place), isKnown ? 0 : this.#anywhere.wait(username));
    if (wait > 0) return Math.ceil(wait / 1_000);
    const hasFailed = this.#atPlace.bad(place) > 0;
    // Counted before the result is known, so that parallel tries cannot evade the limit.
    this.#atPlace.begin(place);
    const takeBack = async () => {
      this.#atPlace.takeBack(place);
      if (isKnown) return;
      this.#anywhere.takeBack(username);
      await this.#tries.reward(network);
    };
    if (!isKnown) {
      this.#anywhere.begin(username);
      const { consumedPoints, msBeforeNext } = await this.#count(network);
      // A name that has not failed there has the higher limit: bad tries of others must not block it.
      if (consumedPoints > (hasFailed ? BAD_TRIES : ALL_TRIES)) {
        await takeBack();
        return Math.max(1, Math.ceil(msBeforeNext / 1_000));
      }
    }
    const good = async () => {
      await takeBack();
      this.#atPlace.forget(place);
      this.#know(keyOf(network, username));
    };
    return { isKnown, good, takeBack };
  }

  async #count(network: string): Promise<RateLimiterRes> {
    return await this.#tries.consume(network).catch((refused: unknown) => {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      return refused;
    });
  }

  #know(key: string): void {
    this.#known.delete(key); // the newest last
    this.#known.add(key);
    const [oldest] = this.#known;
    if (oldest !== undefined && this.#known.size > MOST_KNOWN) this.#known.delete(oldest);
  }
}

/** A place contains no line break, so keys are unambiguous for any name. */
function keyOf(place: string, username: string): string {
  return `${place}\n${username}`;
}
