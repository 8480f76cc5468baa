/** Compares the number of records in a listing with the totals that the source reports. */
import { IncompleteListingError } from '../job-error.ts';

/** A source that changes during the listing reports several totals; they may differ by this fraction. */
const TOLERANCE = 0.1;

export type ListingTotals = {
  /** Notes a reported total. @throws IncompleteListingError if the totals differ by more than 10 % */
  readonly tell: (total: number) => void;
  /** @throws IncompleteListingError if the listing exceeds the total by more than 10 % */
  readonly refuseExcess: (count: number) => void;
  /** Call at the end. @throws IncompleteListingError if `count` lies outside the reported totals */
  readonly check: (count: number) => void;
  readonly words: () => string;
};

/** @param shownAs the source, without credentials */
export function createListingTotals(shownAs: string): ListingTotals {
  let least = Infinity;
  let most = -Infinity;
  const words = (): string => `X-Total-Count ${least === most ? String(least) : `from ${least} to ${most}`}`;
  return {
    words,
    tell(total) {
      least = Math.min(least, total);
      most = Math.max(most, total);
      if (most - least <= most * TOLERANCE) return;
      const fix = 'the totals differ by more than 10 %; run the job again when the source changes less';
      throw new IncompleteListingError(`${shownAs}: ${words()}: ${fix}`);
    },
    refuseExcess(count) {
      if (count <= most * (1 + TOLERANCE)) return;
      throw new IncompleteListingError(
        `${shownAs}: ${count} records read and more follow, but ${words()}; stopped at 10 % above that total`,
      );
    },
    check(count) {
      if (count >= least && count <= most) return;
      throw new IncompleteListingError(`${shownAs}: ${count} records read, but ${words()}`);
    },
  };
}
