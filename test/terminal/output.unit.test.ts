/** The command line's rendering of data: text that cannot control a terminal, times and rates in words. */
import { afterEach, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { fieldsOf, harmless, print, tableOf } from '../../src/terminal/output.ts';
import { duration, secondsLeft } from '../../src/client/format.ts';

afterEach(() => vi.restoreAllMocks());

/** Formats as for a terminal, or as for a file. */
function written(isTTY: boolean, write: () => void): string {
  const before = process.stdout.isTTY;
  let text = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((part) => {
    text += String(part);
    return true;
  });
  process.stdout.isTTY = isTTY;
  try {
    write();
  } finally {
    process.stdout.isTTY = before;
    vi.restoreAllMocks();
  }
  return text;
}

const STEERING = 'x\u001b]0;title\u009b2J\u007f';

test('the output of a program cannot control the terminal', () => {
  expect(harmless('a\u001b[2Jb\u0007\u009bc\u007f\r\n\td')).toBe('a\u241b[2Jb\u2407\u2421c\u2421\u240d\n\td');
  const table = written(true, () =>
    print('table', 0, () => tableOf(['A'], [[{ text: STEERING, look: 'dim' }]], '')),
  );
  expect(table).toContain('x\u241b]0;title\u24212J\u2421');
  const fields = written(true, () => print('table', 0, () => fieldsOf({ why: 'one\u001b[31m\ntwo' })));
  expect(fields).toBe('why  one\u241b[31m\n     two\n');
  for (const format of ['json', 'yaml'] as const) {
    const text = written(true, () => print(format, { why: STEERING }, () => ''));
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  }
});

test('a file or a pipe gets the unchanged text', () => {
  expect(written(false, () => print('table', 0, () => fieldsOf({ why: STEERING })))).toBe(
    `why  ${STEERING}\n`,
  );
  expect(written(false, () => print('table', 0, () => tableOf(['A'], [[STEERING]], '')))).toBe(
    `A\n${STEERING}\n`,
  );
  const read = { json: JSON.parse as (text: string) => unknown, yaml: parse };
  for (const format of ['json', 'yaml'] as const)
    expect(read[format](written(false, () => print(format, { why: STEERING }, () => '')))).toEqual({
      why: STEERING,
    });
});

test('columns are as wide as their widest cell, and an empty table has a message', () => {
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

test('the time left is shown only if it can be estimated', () => {
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
