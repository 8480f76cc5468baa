/** Repeatable randomness: everything that a program decides comes from one seed. */

export type Random = {
  /** From 0 up to, but not including, 1. */
  number(): number;
  /** From `from` to `to`, both included. */
  integer(from: number, to: number): number;
  chance(probability: number): boolean;
  pick<T>(values: readonly T[]): T;
  shuffled<T>(values: readonly T[]): T[];
  /** A separate source, unaffected by how often this one is used: for what runs at the same time. */
  fork(): Random;
};

export function createRandom(seed: number): Random {
  // mulberry32: https://github.com/cprosche/mulberry32 (public domain)
  let state = seed >>> 0;
  const number = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (from: number, to: number) => from + Math.floor(number() * (to - from + 1));
  const shuffled = <T>(values: readonly T[]): T[] => {
    const result = [...values];
    for (let last = result.length - 1; last > 0; last--) {
      const other = integer(0, last);
      const kept = result[last] as T;
      result[last] = result[other] as T;
      result[other] = kept;
    }
    return result;
  };
  return {
    number,
    integer,
    chance: (probability) => number() < probability,
    pick(values) {
      const picked = values[integer(0, values.length - 1)];
      if (picked === undefined) throw new Error('cannot pick from an empty list');
      return picked;
    },
    shuffled,
    fork: () => createRandom(integer(0, 2 ** 32 - 1)),
  };
}
