/** The part of a list between two datestamps, both inclusive. A list whose tokens expire is read in smaller parts. */
import { type Granularity, GRANULE_MS } from './granularity.ts';

export type ListWindow = {
  /** null: from the first record. */
  readonly from: Date | null;
  /** null: to the last record. */
  readonly until: Date | null;
  /** How often its tokens have expired. */
  readonly expired: number;
};

/** A part of one granule cannot be divided; it is read at most this often. */
const MOST_READINGS = 4;

/**
 * The windows to read after the tokens of `window` have expired: the same once more; then its halves, earlier one first. A record
 * that changes meanwhile moves to a part that is read later. Both halves list their common datestamp, so a source that
 * excludes `until` loses none. @returns null to give up
 */
export function readAgain(
  window: ListWindow,
  { earliest, now, granularity }: { earliest: Date; now: Date; granularity: Granularity },
): ListWindow[] | null {
  const { from, until, expired } = window;
  if (expired === 0) return [{ ...window, expired: 1 }];
  const granule = GRANULE_MS[granularity];
  const first = Math.floor((from ?? earliest).getTime() / granule);
  const last = Math.floor((until ?? now).getTime() / granule);
  if (last - first < 2) return expired + 1 < MOST_READINGS ? [{ ...window, expired: expired + 1 }] : null;
  const middle = new Date(Math.floor((first + last) / 2) * granule);
  return [
    { from, until: middle, expired: 1 },
    { from: middle, until, expired: 1 },
  ];
}
