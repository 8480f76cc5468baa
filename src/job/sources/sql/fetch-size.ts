/** Chooses how many rows to fetch at once, so that wide rows do not fill the memory. */
const FIRST_ROWS = 100;
const MOST_ROWS = 5_000;
const BYTES = 2 * 1024 * 1024;

export type FetchSize = {
  readonly rows: () => number;
  /** Notes the size of the rows that were fetched last. */
  readonly learn: (rows: number, length: number) => void;
};

export function createFetchSize(): FetchSize {
  let next = FIRST_ROWS;
  return {
    rows: () => next,
    learn(rows, length) {
      if (rows === 0) return;
      const fitting = Math.floor((BYTES * rows) / Math.max(length, 1));
      next = Math.max(1, Math.min(MOST_ROWS, fitting, next * 10));
    },
  };
}
