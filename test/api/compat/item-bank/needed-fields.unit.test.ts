/** The needed fields of a large object are kept as JSON reads them, however the body is cut into chunks. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NeededFields } from '../../../../src/api/compat/item-bank/needed-fields.ts';

const NAMES = ['ref', 'project', 'a"b'];

function read(body: Uint8Array, cut: number): string {
  const fields = new NeededFields(NAMES);
  for (let at = 0; at < body.length; at += cut) fields.push(body.subarray(at, at + cut));
  return new TextDecoder('utf-8', { fatal: true }).decode(fields.bytes());
}

test('the needed values of any object are those of JSON.parse, and all others are null', () => {
  const names = fc.oneof(fc.constantFrom(...NAMES, 'commits'), fc.string());
  const objects = fc.dictionary(names, fc.jsonValue(), { noNullPrototype: true });
  fc.assert(
    fc.property(objects, fc.integer({ min: 1, max: 40 }), fc.constantFrom(0, 2), (object, cut, indent) => {
      const body = new TextEncoder().encode(JSON.stringify(object, null, indent));
      const needed = Object.entries(JSON.parse(JSON.stringify(object)) as object).map(
        ([name, value]) => [name, NAMES.includes(name) ? (value as unknown) : null] as const,
      );
      expect(JSON.parse(read(body, cut))).toEqual(Object.fromEntries(needed));
    }),
  );
});

test('skipped values take no memory, and invalid JSON stays invalid', () => {
  const fields = new NeededFields(NAMES);
  const push = (text: string) => fields.push(new TextEncoder().encode(text));
  push('{"commits":["');
  for (let at = 0; at < 100; at += 1) expect(push('x'.repeat(10_000))).toBeLessThan(100);
  push('"],"ref":"main"}');
  expect(new TextDecoder().decode(fields.bytes())).toBe('{"commits":null,"ref":"main"}');
  for (const broken of [
    '',
    '<xml>',
    '{',
    '{"x":[1,"ref":2}',
    '{"x":"',
    '{"ref":1 2}',
    '{ref:1}',
    '{"x":1}}',
    '{"x" 1}',
  ])
    expect(() => JSON.parse(read(new TextEncoder().encode(broken), 3)) as unknown).toThrow(SyntaxError);
});
