/**
 * Generates histories of a sink: the source changes, tells the truth or lies, jobs run or are killed, people answer what
 * waits, go back and forget.
 */
import fc from 'fast-check';
import type { Change } from '../../support/history-chapters.ts';

/** Fractions from 0 to 1 that select among what is there when the chapter is played. */
type Share = number;

/** What a source tells of what it has. `answers`: asked by its id, it returns what its listing hides. */
export type Lie =
  | { readonly kind: 'honest' }
  /** As in the chapter before. */
  | { readonly kind: 'still' }
  | { readonly kind: 'empty'; readonly answers: boolean }
  | { readonly kind: 'half'; readonly answers: boolean }
  /** Not proven complete. */
  | { readonly kind: 'cut'; readonly keeps: Share }
  | { readonly kind: 'breaks'; readonly after: Share }
  | { readonly kind: 'hidden'; readonly ids: readonly Share[]; readonly answers: boolean }
  /** Tells a delta that it has deleted them. */
  | { readonly kind: 'deletions'; readonly ids: readonly Share[]; readonly answers: boolean };

export type Act =
  | {
      readonly kind: 'job';
      readonly action: 'sync' | 'delta' | 'delete' | 'diff';
      readonly force: boolean;
    }
  /** The approval names a part of what waits, and a record that does not wait. The rest is kept, or waits on. */
  | { readonly kind: 'remove'; readonly approved: readonly Share[] }
  /** Undoes the last sync, the job that switched last, or one of all jobs. */
  | { readonly kind: 'rollback'; readonly before: 'last' | 'switched' | Share }
  /** Brings back what a job has removed. */
  | { readonly kind: 'restore'; readonly job: 'newest' | Share }
  /** Brings back some removed records; `alsoLive`: names one besides that is most often live. */
  | { readonly kind: 'restore ids'; readonly ids: readonly Share[]; readonly alsoLive: boolean }
  | { readonly kind: 'forget'; readonly ids: readonly Share[] };

export type Kill = {
  /** Fraction of the changes that such a run makes on the server. */
  readonly at: Share;
  readonly when: 'before' | 'after';
  readonly next: 'retry' | 'resume' | 'another job';
  /** What follows is told the truth, whatever the killed run was told. */
  readonly honest: boolean;
};

export type Chapter = {
  readonly source: Change;
  /** Of the records that the source has ever lost, those that come back; `old`: with the time that they had. */
  readonly back: { readonly ids: readonly Share[]; readonly old: boolean };
  readonly lie: Lie;
  readonly act: Act;
  readonly kill: Kill | null;
};

export type History = {
  /** The listing of the first sync is proven complete, so every later one must be. */
  readonly proven: boolean;
  readonly chapters: readonly Chapter[];
};

/** Uniformly distributed, unlike `fc.double`. */
const share = fc.integer({ min: 0, max: 999 }).map((parts) => parts / 1000);
const someShares = (maxLength: number, minLength = 0) => fc.array(share, { minLength, maxLength });
const rarely = <T>(weight: number, some: fc.Arbitrary<T>, otherwise: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 10 - weight, arbitrary: otherwise }, { weight, arbitrary: some });

const answers = rarely(3, fc.constant(true), fc.constant(false));
const hidden = rarely(3, someShares(14, 6), someShares(4, 1));

const lie: fc.Arbitrary<Lie> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'honest' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'still' as const }) },
  {
    weight: 4,
    arbitrary: fc.oneof(
      fc.record({ kind: fc.constant('empty' as const), answers }),
      fc.record({ kind: fc.constant('half' as const), answers }),
      fc.record({ kind: fc.constant('cut' as const), keeps: rarely(4, fc.constant(1), share) }),
      fc.record({ kind: fc.constant('breaks' as const), after: share }),
      fc.record({ kind: fc.constant('hidden' as const), ids: hidden, answers }),
      fc.record({ kind: fc.constant('hidden' as const), ids: hidden, answers }),
      fc.record({ kind: fc.constant('deletions' as const), ids: hidden, answers }),
    ),
  },
);

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('job' as const),
      action: fc.constantFrom('sync', 'sync', 'delta', 'delete', 'diff'),
      force: rarely(1, fc.constant(true), fc.constant(false)),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('remove' as const), approved: someShares(8) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('rollback' as const),
      before: fc.oneof(
        { weight: 2, arbitrary: fc.constant('last' as const) },
        { weight: 3, arbitrary: fc.constant('switched' as const) },
        { weight: 1, arbitrary: share },
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('restore' as const),
      job: rarely<'newest' | Share>(3, share, fc.constant('newest')),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('restore ids' as const),
      ids: someShares(4, 1),
      alsoLive: rarely(1, fc.constant(true), fc.constant(false)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), ids: someShares(4, 1) }) },
);

const kill: fc.Arbitrary<Kill> = fc.record({
  at: share,
  when: fc.constantFrom('before', 'after'),
  next: fc.constantFrom('retry', 'resume', 'another job'),
  honest: fc.boolean(),
});

export function histories(jobs: number): fc.Arbitrary<History> {
  return fc.record({
    proven: rarely(3, fc.constant(false), fc.constant(true)),
    chapters: fc.array(
      fc.record({
        source: fc.record({
          add: fc.nat(2),
          update: someShares(2),
          // Now and then more than the guard allows.
          remove: rarely(2, someShares(12), someShares(2)),
        }),
        back: fc.record({ ids: rarely<Share[]>(3, someShares(3, 1), fc.constant([])), old: fc.boolean() }),
        lie,
        act,
        kill: rarely(4, kill, fc.constant(null)),
      }),
      { minLength: jobs, maxLength: jobs },
    ),
  });
}
