/** Values that differ only in the order of fields are the same JSON, and no others. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inOrder, isSameJson } from '../../src/domain/same-json.ts';

const turned = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, inner]) => [key, turned(inner)]),
  );
};

test('objects with the same fields in another order are the same JSON', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => isSameJson(value, turned(value))));
  expect(inOrder({ b: 1, a: { d: undefined, c: 2 } })).toEqual([
    ['a', [['c', 2]]],
    ['b', 1],
  ]);
});

test.each([
  [{ a: 1 }, { a: 2 }],
  [{ a: 1 }, { a: 1, b: 1 }],
  [{ a: [1, 2] }, { a: [2, 1] }],
  [{ a: 1 }, [['a', 1]]],
  [[], {}],
  [null, {}],
])('%j is not %j', (one, other) => {
  expect(isSameJson(one, other)).toBe(false);
});
