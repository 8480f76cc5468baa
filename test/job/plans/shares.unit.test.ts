import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PLAN_KINDS } from '../../../src/domain/change-plan.ts';
import { sharesOf } from '../../../src/job/sinks/plans.ts';

it('shows everything of a plan that has room', () => {
  const counts = { added: 10, updated: 60, removed: 0, held: 30 };
  expect(sharesOf(counts, 100)).toEqual(counts);
});

it('shows a kind with few changes whole, and divides the rest of the room evenly', () => {
  expect(sharesOf({ added: 1_000_000, updated: 3, removed: 40, held: 1_000 }, 100)).toEqual({
    added: 33,
    updated: 3,
    removed: 32,
    held: 32,
  });
});

it('never shows more than there is or than there is room, wastes no room, and leaves no kind out', () => {
  const count = fc.oneof(fc.nat(50), fc.nat(1_000_000));
  const all = fc.record({ added: count, updated: count, removed: count, held: count });
  fc.assert(
    fc.property(all, fc.integer({ min: 4, max: 1_000 }), (counts, most) => {
      const shares = sharesOf(counts, most);
      const sum = (of: typeof counts): number => PLAN_KINDS.reduce((total, kind) => total + of[kind], 0);
      for (const kind of PLAN_KINDS) {
        expect(shares[kind]).toBeLessThanOrEqual(counts[kind]);
        if (counts[kind] > 0) expect(shares[kind]).toBeGreaterThan(0);
      }
      expect(sum(shares)).toBe(Math.min(most, sum(counts)));
    }),
  );
});
