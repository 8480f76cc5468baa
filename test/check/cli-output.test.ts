/** What the command line makes of facts: text that cannot steer a terminal, times and rates in words. */
import { expect, test } from 'vitest';
import { fieldsOf, harmless, tableOf } from '../../src/cli/output.ts';
import { duration, secondsLeft } from '../../src/client/words.ts';

test('what a program printed cannot steer the terminal', () => {
  expect(harmless('a\u001b[2Jb\u0007\u009bc\u007f\r\n\td')).toBe('a\u241b[2Jb\u2407\u2421c\u2421\u240d\n\td');
  const table = tableOf(['A'], [[{ text: 'x\u001b]0;title', look: 'dim' }]], '');
  expect(table).toContain('x\u241b]0;title');
  expect(fieldsOf({ why: 'one\u001b[31m\ntwo' })).toBe('why  one\u241b[31m\n     two');
});

test('columns are as wide as their widest cell, and no row is said in words', () => {
  expect(
    tableOf(
      ['ID', 'X'],
      [
        ['1', 'a'],
        ['234', 'b'],
      ],
      'none',
    ).split('\n'),
  ).toEqual([expect.stringContaining('ID'), '1    a', '234  b']);
  expect(tableOf(['ID'], [], 'none')).toBe('none');
});

test('durations have two units', () => {
  expect([0, 59.6, 61, 3600, 90_061, -5].map(duration)).toEqual(['0s', '1m', '1m 1s', '1h', '1d 1h', '0s']);
});

test('the time left is told only where it can be', () => {
  const progress = { records_done: 100, records_total: 300, rate: 50 };
  const of = (more: object) => secondsLeft({ ...progress, ...more } as Parameters<typeof secondsLeft>[0]);
  expect(of({})).toBe(4);
  expect([
    of({ rate: 0 }),
    of({ records_total: null }),
    of({ records_done: 300 }),
    secondsLeft(null),
  ]).toEqual([undefined, undefined, undefined, undefined]);
});
