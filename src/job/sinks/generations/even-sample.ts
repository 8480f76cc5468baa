/** Takes an even sample of a stream of ids, in their order; all of them up to the limit. Pure. */
import { isAfter } from '../../sources/byte-order.ts';
import { MOST_ASKED } from '../sink.ts';

export class EvenSample {
  count = 0;
  readonly #most: number;
  #every = 1;
  #kept: string[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  offer(id: string): void {
    if (this.count % this.#every === 0) this.#kept.push(id);
    this.count += 1;
    if (this.#kept.length <= this.#most) return;
    this.#kept = this.#kept.filter((_, nth) => nth % 2 === 0);
    this.#every *= 2;
  }

  get ids(): readonly string[] {
    return this.#kept;
  }
}

/**
 * The ids to ask the source for: those that may go now come before those that wait already, which would else use up the
 * questions. In byte order.
 */
export function freshFirst(fresh: readonly string[], all: readonly string[]): readonly string[] {
  const first = new Set(fresh);
  const asked = [...fresh, ...all.filter((id) => !first.has(id))].slice(0, MOST_ASKED);
  return asked.toSorted((one, other) => (isAfter(one, other) ? 1 : -1));
}
