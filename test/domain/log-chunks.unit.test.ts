/** Chunks are merged only without a gap between them, and never beyond the largest size. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CHUNK_BYTES, mergeable, shareOf } from '../../src/domain/log-chunks.ts';

test('runs are maximal, do not overlap, and contain no gap and no more than one chunk', () => {
  const pieces = fc.array(fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 1, max: 40_000 })));
  fc.assert(
    fc.property(pieces, (lengths) => {
      let end = 0;
      const chunks = lengths.map(([gap, byte_length]) => {
        const byte_offset = end + gap * 10;
        end = byte_offset + byte_length;
        return { byte_offset, byte_length };
      });
      const runs = mergeable(chunks);
      let last = -1;
      for (const { from, to } of runs) {
        expect(from).toBeGreaterThan(last);
        last = to;
        const inside = chunks.filter(({ byte_offset: at }) => at >= from && at <= to);
        const length = inside.reduce((sum, { byte_length }) => sum + byte_length, 0);
        expect(inside.length).toBeGreaterThan(1);
        expect(length).toBeLessThanOrEqual(CHUNK_BYTES);
        expect(to + (inside.at(-1)?.byte_length ?? 0)).toBe(from + length);
      }
      // A second merge finds nothing to do.
      const merged = chunks.flatMap((chunk) => {
        const run = runs.find(({ from, to }) => chunk.byte_offset >= from && chunk.byte_offset <= to);
        if (!run) return [chunk];
        if (chunk.byte_offset !== run.from) return [];
        const inside = chunks.filter(({ byte_offset: at }) => at >= run.from && at <= run.to);
        return [
          { byte_offset: run.from, byte_length: inside.reduce((sum, one) => sum + one.byte_length, 0) },
        ];
      });
      expect(mergeable(merged)).toEqual([]);
    }),
  );
});

test('a limit is divided exactly between beginning and end', () => {
  expect(shareOf(101)).toEqual({ head: 50, tail: 51 });
});
