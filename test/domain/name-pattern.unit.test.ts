/** TARGET_PATTERN: its grammar, its equality with JavaScript's regular expressions, and its speed. */
import { expect, test } from 'vitest';
import { parseNamePattern } from '../../src/domain/name-pattern.ts';

function patternOf(text: string) {
  const pattern = parseNamePattern(text);
  if ('error' in pattern) throw new Error(pattern.error);
  return pattern;
}

const NAMES = [
  'A',
  'a',
  '0',
  'AB',
  'ABC',
  'INCOME',
  'INCOME_2026',
  'KV_1',
  'kv-1',
  'AAAB',
  'B',
  '2026',
  '_',
  '-',
];

test.each([
  '[A-Z][A-Z0-9_]*',
  '[A-Z_0-9]+',
  'OWN|A',
  'KV_[0-9]{1,3}|INCOME(?:)',
  'A*A*A*A*B',
  'A?A?A?AAA',
  '[^A-Z]+',
  'A{2}[AB]{1,2}C?',
  'A{2,}B',
  '.*',
  '\\w+\\d\\d',
  '[\\d_]{4}',
  'INCOME_2{1}.{3}',
  '[-A]+',
  'kv-[01]',
  'A{0}B',
])('%s fits what it fits as a regular expression', (text) => {
  const ours = text.replace('(?:)', '');
  const pattern = patternOf(ours);
  const expression = new RegExp(`^(?:${ours})$`, 'u');
  const random = Array.from({ length: 2000 }, (_, i) => nameOf(i));
  for (const name of [...NAMES, ...random]) expect(pattern.fits(name), name).toBe(expression.test(name));
});

/** Few letters, so that many of them match. */
function nameOf(seed: number): string {
  const letters = 'AABC0_-a';
  let rest = seed * 2_654_435_761;
  let name = '';
  for (let i = 0; i <= seed % 7; i++, rest = Math.floor(rest / 8)) name += letters[rest % 8];
  return name;
}

test.each([
  '([A-Z]+)+',
  '(a|a)*',
  '(a?){50}',
  '(?=A)A',
  'A**',
  'A+?',
  '^A$',
  'A$',
  '[A-Z',
  'A)|(B',
  '[]',
  '[^]',
  '[Z-A]',
  'A{3,1}',
  'A{101}',
  'A{,3}',
  'A|',
  '|A',
  '\\1',
  '\\s+',
  '\\p{L}',
  'Ä+',
  'A B',
  '*',
  'A'.repeat(201),
])('%s is refused', (text) => {
  expect(parseNamePattern(text)).toEqual({ error: expect.any(String) });
});

test('the refusal quotes the pattern and states the grammar', () => {
  expect(parseNamePattern('([A-Z]+)+')).toEqual({
    error: expect.stringMatching(
      /^'\(\[A-Z\]\+\)\+': '\(\[A-Z\]\+\)\+' cannot be read; a pattern consists of .*groups/,
    ),
  });
});

test('matching is linear: it reads a name once per item, and never goes back', () => {
  for (const item of ['[A-Z]*', 'A+', '.?', '[A-Z]{1,100}', 'A{0,50}'])
    for (const [items, length] of [
      [1, 99],
      [10, 99],
      [190, 99],
      [190, 9],
    ] as const) {
      const { name, reads } = counted(`${'A'.repeat(length)}1`);
      expect(patternOf(`${item.repeat(items)}_`).fits(name)).toBe(false);
      // Each character once, and the length once, per item.
      expect(reads(), `${items} × ${item} of ${length}`).toBeLessThanOrEqual(2 * (items + 2) * (length + 3));
    }
});

/** A name that counts its reads. */
function counted(text: string): { name: string; reads: () => number } {
  let count = 0;
  const get = (target: object, key: string | symbol) => {
    count++;
    return Reflect.get(target, key) as unknown;
  };
  return { name: new Proxy(Object(text) as object, { get }) as unknown as string, reads: () => count };
}
