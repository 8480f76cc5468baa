/** Generates random histories of a table: source changes, jobs, foreign writes, purges. */

import fc from 'fast-check';

/** Fractions from 0 to 1 that select among the items present when the chapter is played. */
export type Change = {
  readonly add: number;
  readonly update: readonly number[];
  readonly remove: readonly number[];
};

export type Act =
  | {
      readonly kind: 'job';
      readonly action: 'sync' | 'delta' | 'delete' | 'diff';
      readonly force: boolean;
      /** Fraction of its statements after which it is killed; null: not killed. */
      readonly killed: number | null;
      readonly again: boolean;
    }
  /** A removal of a fraction of the held records, and of others that are live. */
  | {
      readonly kind: 'remove';
      readonly approved: readonly number[];
      /** Fraction of the approved ids that the source has again. */
      readonly answers: number;
      readonly killed: number | null;
    }
  /** Items as an item bank writes them: one transaction each; the change set stays open unless finished. */
  | { readonly kind: 'items'; readonly items: readonly number[]; readonly finish: boolean }
  /** Undoes from one of the kept jobs, or one of `all` jobs; `last`: the last sync that stands. */
  | {
      readonly kind: 'rollback';
      readonly before: number | 'last';
      readonly among: 'kept' | 'all';
      /** The records that it is limited to: those of the job, or a fraction of all; null: it restores all. */
      readonly only: 'of the job' | readonly number[] | null;
      readonly killed: number | null;
    };

export type Chapter = {
  readonly source: Change;
  readonly others: Change | null;
  readonly purge: 'age' | 'size' | null;
  readonly act: Act;
};

/** Uniformly distributed, unlike `fc.double`. */
const share = fc.integer({ min: 0, max: 999 }).map((parts) => parts / 1000);
const someShares = (maxLength: number) => fc.array(share, { maxLength });
const killed = fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: share });

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('job' as const),
      action: fc.constantFrom('sync', 'sync', 'delta', 'delete', 'diff'),
      force: fc.constantFrom(true, false, false, false),
      killed,
      again: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('remove' as const),
      approved: someShares(6),
      answers: fc.constantFrom(0, 0, 0.5),
      killed,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('items' as const),
      items: fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }),
      finish: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('rollback' as const),
      before: fc.oneof(
        { weight: 3, arbitrary: share },
        { weight: 1, arbitrary: fc.constant('last' as const) },
      ),
      among: fc.constantFrom('kept', 'kept', 'kept', 'kept', 'all'),
      only: fc.oneof(
        { weight: 3, arbitrary: fc.constant(null) },
        { weight: 1, arbitrary: fc.constant('of the job' as const) },
        { weight: 1, arbitrary: fc.array(share, { minLength: 1, maxLength: 6 }) },
      ),
      killed,
    }),
  },
);

export function histories(jobs: number): fc.Arbitrary<Chapter[]> {
  return fc.array(
    fc.record({
      source: fc.record({
        add: fc.nat(2),
        update: someShares(3),
        // Now and then more than the delete guard allows.
        remove: fc.oneof({ weight: 6, arbitrary: someShares(2) }, { weight: 2, arbitrary: someShares(12) }),
      }),
      others: fc.oneof(
        { weight: 6, arbitrary: fc.constant(null) },
        {
          weight: 1,
          arbitrary: fc.record({ add: fc.nat(1), update: someShares(2), remove: someShares(1) }),
        },
      ),
      purge: fc.oneof(
        { weight: 14, arbitrary: fc.constant(null) },
        { weight: 1, arbitrary: fc.constantFrom('age' as const, 'size' as const) },
      ),
      act,
    }),
    { minLength: jobs, maxLength: jobs },
  );
}
