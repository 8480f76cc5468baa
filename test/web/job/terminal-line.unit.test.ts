/** TerminalLine renders a line as a terminal would, for every way to cut it into chunks. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LogLines } from '../../../src/web/job/log-lines.ts';
import { BOLD, runsOf, TerminalLine } from '../../../src/web/job/terminal-line.ts';

const ESC = '\u001b';

function shown(text: string): string {
  const line = new TerminalLine();
  line.write(text);
  return line.line.text;
}

test.each([
  ['10%\r20%\r100%', '100%'],
  ['100%\r5%', '5%0%'],
  [`100%\r${ESC}[2K5%`, '5%'],
  [`100%\r${ESC}[K5%`, '5%'],
  ['a line\r', 'a line'],
  [`${ESC}[32mok${ESC}[0m`, 'ok'],
  [`${ESC}[1;38;5;208mx${ESC}[38;2;1;2;3my${ESC}[m`, 'xy'],
  [`${ESC}]8;;https://example.org/${ESC}\\a link${ESC}]8;;${ESC}\\ after`, 'a link after'],
  [`${ESC}]0;a title\u0007text`, 'text'],
  [`abc${ESC}[2Dx`, 'axc'],
  [`a${ESC}[3Cb${ESC}[1Gc`, 'c   b'],
  [`up${ESC}[1A${ESC}[2Jdown${ESC}[?25h`, 'updown'],
  [`${ESC}(Bcharset${ESC}=`, 'charset'],
  ['ab\bc', 'ac'],
  ['nul\u0000bell\u0007', 'nul␀bell'],
  ['tab\there', 'tab\there'],
  [`wide${ESC}[999999999Cx`, `wide${' '.repeat(996)}x`],
  [`${ESC}[999C`.repeat(20_000) + 'x', `${' '.repeat(1000)}x`],
  [`${'w'.repeat(1500)}${ESC}[9C${ESC}[2Dx`, `${'w'.repeat(1498)}xw`],
])('%j is shown as %j', (text, is) => {
  expect(shown(text)).toBe(is);
});

test('colours form runs, and carry over to the next line until reset', () => {
  const line = new TerminalLine();
  line.write(`a${ESC}[1;31mb`);
  expect(runsOf(line.end())).toEqual([
    { text: 'a', look: 0 },
    { text: 'b', look: 2 + BOLD },
  ]);
  line.write(`c${ESC}[0md${ESC}[94me`);
  expect(runsOf(line.end())).toEqual([
    { text: 'c', look: 2 + BOLD },
    { text: 'd', look: 0 },
    { text: 'e', look: 13 },
  ]);
});

test('text cut anywhere gives the same lines', () => {
  const piece = fc.oneof(
    fc.string({ maxLength: 6 }),
    fc.constantFrom(
      '\r',
      '\n',
      '\r\n',
      `${ESC}[31m`,
      `${ESC}[0m`,
      `${ESC}[2K`,
      `${ESC}]8;;x${ESC}\\`,
      `${ESC}[3D`,
      '\b',
    ),
  );
  const linesOf = (chunks: readonly string[]) => {
    const log = new LogLines();
    let offset = 0;
    for (const text of chunks.filter((chunk) => chunk !== '')) {
      log.add({ offset, end: offset + text.length, text });
      offset += text.length;
    }
    return Array.from({ length: log.count }, (_, at) => log.line(at));
  };
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), fc.nat(3), (pieces, size) => {
      const text = pieces.join('');
      const cut = text.match(new RegExp(`[^]{1,${size + 1}}`, 'g')) ?? [];
      expect(linesOf(cut)).toEqual(linesOf([text]));
    }),
  );
});

test('a progress bar updates one line in place, and search finds its current text', () => {
  const log = new LogLines();
  let offset = 0;
  const add = (text: string) => {
    log.add({ offset, end: offset + text.length, text });
    offset += text.length;
  };
  add('begin\r\n');
  for (const percent of [10, 20, 100]) {
    add(`\r${percent}%`);
    expect([log.count, log.at(1), log.search('10%')]).toEqual([2, `${percent}%`, percent === 10 ? [1] : []]);
  }
  add(`\n${ESC}[31mE${ESC}[0mrror`);
  expect([log.count, log.search('error')]).toEqual([3, [2]]);
  add(` ${'x'.repeat(300 * 1024)}end`);
  expect([log.count, log.search('xend'), log.at(2).length]).toEqual([3, [2], 5 + 1 + 300 * 1024 + 3]);
});
